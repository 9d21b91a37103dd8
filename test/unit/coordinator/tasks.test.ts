import { afterEach, describe, expect, test, vi } from 'vitest'
import { createSignatureVerifier } from '../../../src/chain/signer.ts'
import { verifyReceipt } from '../../../src/domain/receipt.ts'
import type { CoordinatorStore } from '../../../src/domain/storePorts.ts'
import { storeFull } from '../../../src/errors/store.ts'
import { openAppStore } from '../../../src/store/appStore.ts'
import {
  createCoordinatorRig,
  createLetterManifest,
  createNumberedSigner,
  createSubmission,
  endCoordinatorRigs,
  toLetterIds,
  toTextOutput,
  waitForPolls,
} from '../../support/coordinatorRig.ts'

afterEach(endCoordinatorRigs)

const completion = { model: 'test/letters', prompt: 'Once', max_tokens: 20 }
const native = { model: 'test/letters', kind: 'completion' as const, input: { prompt: 'abc' }, params: {}, dryRun: false }
const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })

describe('a task from app to miner and back', () => {
  test('a chat is answered with text, usage, headers and a receipt that both sides signed', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const answering = miner.answer('Hello!')
    const { body, headers } = await rig.app.call('createChatCompletion', {
      body: { model: 'test/letters', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 20, temperature: 0 },
    })
    const { assignment } = await answering
    expect(body.choices[0]).toMatchObject({ message: { content: 'Hello!' }, finish_reason: 'stop' })
    expect(body.usage).toEqual({ prompt_tokens: 19, completion_tokens: 6, total_tokens: 25 })
    expect(headers).toMatchObject({ 'x-cuckoo-task': assignment.taskId, 'x-cuckoo-miner': miner.node, 'x-cuckoo-receipt': assignment.taskId })
    const { receipt } = await rig.app.getReceipt({ params: { id: assignment.taskId } })
    const operators = { coordinator: [createNumberedSigner(0xc0).address], miner: [miner.signer.address] }
    const checks = verifyReceipt(receipt, rig.chain.domainSeparator, createSignatureVerifier().recover, operators)
    expect(checks.map((check) => check.ok)).toEqual([true, true, true, true])
    expect(assignment.deadline - assignment.issuedAt).toBe(3600n)
  })

  test('a stream brings each piece as the miner makes it, holds back what may be a stop string, and names the miner last', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const { events, headers } = await rig.app.open('createCompletion', {
      body: { ...completion, stream: true, stop: 'END', stream_options: { include_usage: true } },
    })
    const task = await miner.take()
    expect(task.stream).toBe(true)
    const iterator = events[Symbol.asyncIterator]()
    const next = async () => (await iterator.next()).value
    await miner.push(task, 0, toLetterIds('abE'))
    expect((await next())?.choices[0]?.text).toBe('ab')
    await miner.push(task, 3, toLetterIds('x'))
    expect((await next())?.choices[0]?.text).toBe('Ex')
    const output = { tokenIds: toLetterIds('abExyEND'), finishReason: 'stop' as const }
    await miner.submit(task, createSubmission(rig.chain.domainSeparator, miner.signer, task, output))
    expect((await next())?.choices[0]?.text).toBe('y')
    expect((await next())?.choices[0]).toMatchObject({ text: '', finish_reason: 'stop' })
    const last = await next()
    expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 8, total_tokens: 13 } })
    expect(last?.cuckoo).toEqual({ task: headers['x-cuckoo-task'], miner: miner.node, receipt: headers['x-cuckoo-task'] })
    expect((await iterator.next()).done).toBe(true)
  })

  test('embeddings come back as the miner made them, as floats or base64', async () => {
    const rig = await createCoordinatorRig()
    const manifest = createLetterManifest('test/vectors', { kind: 'embedding', pooling: 'mean', chatTemplate: false })
    const miner = await rig.openMiner(1, { models: [{ manifest }] })
    const base64 = Buffer.from(new Float32Array([0.5, -2]).buffer).toString('base64')
    for (const format of ['float', 'base64'] as const) {
      const asking = rig.app.createEmbedding({ body: { model: 'test/vectors', input: ['a', 'bc'], encoding_format: format } })
      const task = await miner.take()
      await miner.submit(task, createSubmission(rig.chain.domainSeparator, miner.signer, task, { dimensions: 2, embeddings: [base64, base64] }))
      const { data, usage } = await asking
      expect(data[1]).toMatchObject({ index: 1, embedding: format === 'float' ? [0.5, -2] : base64 })
      expect(usage).toEqual({ prompt_tokens: 5, total_tokens: 5 })
    }
  })

  test('a native task: dry run, waiting, state, cancel', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const request = { model: 'test/letters', kind: 'completion' as const, input: { prompt: 'abc' }, params: { maxTokens: 7 } }
    const dry = await rig.app.createTask({ body: { ...request, dryRun: true } })
    expect(dry).toMatchObject({ task: null, inputTokens: 4, maxPriceWei: 7n * 10n ** 12n, unitPriceWei: 10n ** 12n, miners: 1 })
    expect(await rig.store.countTasksByState()).toMatchObject({ queued: 0, assigned: 0 })
    const { task } = await rig.app.createTask({ body: { ...request, dryRun: false } })
    expect(task).toMatchObject({ state: 'queued', text: null })
    const id = task?.id ?? '0x'
    const waiting = rig.app.getTask({ params: { id }, query: { waitMs: 5_000 } })
    await miner.answer('xyz')
    expect(await waiting).toMatchObject({ state: 'done', text: 'xyz', attempt: 1, priceWei: 3n * 10n ** 12n })
    expect(await rig.app.cancelTask({ params: { id } })).toMatchObject({ state: 'done' })
    const other = await rig.app.createTask({ body: { ...request, dryRun: false } })
    const polled = await miner.take()
    expect(await rig.app.cancelTask({ params: { id: other.task?.id ?? '0x' } })).toMatchObject({ state: 'cancelled' })
    expect(await miner.heartbeat(polled)).toEqual({ leaseMs: 0, cancel: true })
  })

  test('events: states and text until the end', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const { task } = await rig.app.createTask({ body: { model: 'test/letters', kind: 'completion', input: { prompt: 'abc' }, params: {}, dryRun: false } })
    const { events } = await rig.app.open('watchTask', { params: { id: task?.id ?? '0x' } })
    const seen: string[] = []
    const reading = (async () => {
      for await (const event of events) if (event.type !== 'progress') seen.push(event.type === 'text' ? event.text : event.task.state)
    })()
    const polled = await miner.take()
    await miner.push(polled, 0, toLetterIds('ab'))
    await miner.submit(polled, createSubmission(rig.chain.domainSeparator, miner.signer, polled, { tokenIds: toLetterIds('abc'), finishReason: 'stop' }))
    await reading
    expect(seen.filter((word) => !['queued', 'assigned'].includes(word)).join(' ')).toBe('ab c done')
    expect(seen[0]).toBe('queued')
  })

  test('a task belongs to the app that made it', async () => {
    const rig = await createCoordinatorRig()
    await rig.openMiner(1)
    const { task } = await rig.app.createTask({ body: { model: 'test/letters', kind: 'completion', input: { prompt: 'abc' }, params: {}, dryRun: false } })
    const stranger = await rig.createAppClient('stranger')
    const params = { id: task?.id ?? ('0x' as const) }
    await expect(stranger.getTask({ params })).rejects.toThrow(refused('CUCKOO_TASK_UNKNOWN'))
    await expect(stranger.cancelTask({ params })).rejects.toThrow(refused('CUCKOO_TASK_UNKNOWN'))
    await expect(rig.app.getReceipt({ params })).rejects.toThrow(refused('CUCKOO_TASK_NOT_DONE'))
  })
})

describe('at the door', () => {
  test.each([
    ['logit_bias', { logit_bias: { 1: 1 } }],
    ['presence_penalty', { presence_penalty: 0.5 }],
    ['tools', { tools: [] }],
    ['messages[0].name', { messages: [{ role: 'user', content: 'x', name: 'bob' }] }],
    ['stream_options', { stream_options: { include_usage: true } }],
  ])('the parameter %s is refused by its name', async (parameter, more) => {
    const rig = await createCoordinatorRig()
    await rig.openMiner(1)
    const asking = rig.app.createChatCompletion({ body: { model: 'test/letters', messages: [{ role: 'user', content: 'x' }], ...more } as never })
    await expect(asking).rejects.toThrow(refused('CUCKOO_API_PARAMETER_UNSUPPORTED', { facts: expect.objectContaining({ param: parameter }) }))
  })

  test('what nobody could serve is refused with its reason, before it is a task', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 42_000] })
    const ask = (more: object) => rig.app.createCompletion({ body: { ...completion, ...more } as never })
    await expect(ask({})).rejects.toThrow(refused('CUCKOO_MODEL_UNKNOWN'))
    const miner = await rig.openMiner(1)
    await expect(ask({ model: 'test/other' })).rejects.toThrow(refused('CUCKOO_MODEL_UNKNOWN', { hint: expect.stringContaining('test/letters') }))
    await expect(ask({ prompt: 'x'.repeat(300) })).rejects.toThrow(refused('CUCKOO_TASK_PROMPT_TOO_LONG', { message: expect.stringContaining('301 tokens') }))
    await expect(ask({ prompt: 'x'.repeat(1_000_000) })).rejects.toThrow(expect.objectContaining({ message: expect.stringContaining('characters') }))
    await expect(ask({ max_tokens: 129 })).rejects.toThrow(refused('CUCKOO_API_REQUEST_INVALID'))
    await expect(ask({ max_tokens: 100, prompt: 'x'.repeat(200) })).rejects.toThrow(refused('CUCKOO_TASK_PROMPT_TOO_LONG'))
    await expect(ask({ seed: '18446744073709551616' })).rejects.toThrow(refused('CUCKOO_API_REQUEST_INVALID'))
    await expect(rig.app.createEmbedding({ body: { model: 'test/letters', input: 'x' } })).rejects.toThrow(refused('CUCKOO_MODEL_KIND_MISMATCH'))
    const targeted = {
      model: 'test/letters',
      kind: 'completion' as const,
      input: { prompt: 'x' },
      params: {},
      dryRun: false,
      miner: `0x${'2'.padStart(40, '0')}` as const,
    }
    await expect(rig.app.createTask({ body: targeted })).rejects.toThrow(refused('CUCKOO_TASK_NO_MINER'))
    await miner.leave()
    await expect(ask({})).rejects.toThrow(refused('CUCKOO_TASK_NO_MINER'))
    expect(Object.values(await rig.store.countTasksByState()).reduce((sum, count) => sum + count, 0)).toBe(0)
  })

  test('a full queue answers 429 with Retry-After, and takes tasks again when there is room (fault 20)', async () => {
    const rig = await createCoordinatorRig({ config: { maxQueued: 2 } })
    const miner = await rig.openMiner(1)
    const create = () =>
      rig.app.call('createTask', { body: { model: 'test/letters', kind: 'completion', input: { prompt: 'abc' }, params: {}, dryRun: false } })
    await create()
    await create()
    await expect(create()).rejects.toThrow(
      refused('CUCKOO_TASK_QUEUE_FULL', { httpStatus: 429, facts: expect.objectContaining({ retryAfterSeconds: expect.any(Number) }) }),
    )
    await miner.answer()
    expect((await create()).status).toBe(200)
  })

  test('the same idempotency key makes one task, whatever else has changed since; another request with it is refused', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const body = native
    const options = { headers: { 'idempotency-key': 'k-1' } }
    const [first, again] = await Promise.all([rig.app.createTask({ body }, options), rig.app.createTask({ body }, options)])
    expect(again.task?.id).toBe(first.task?.id)
    await miner.answer('once')
    await miner.leave()
    const late = await rig.app.createTask({ body }, options)
    expect(late.task).toMatchObject({ id: first.task?.id, text: 'once' })
    const other = { ...body, input: { prompt: 'abcd' } }
    await expect(rig.app.createTask({ body: other }, options)).rejects.toThrow(refused('CUCKOO_TASK_IDEMPOTENCY_CONFLICT'))
    const stranger = await rig.createAppClient('stranger')
    await expect(stranger.createTask({ body }, options)).rejects.toThrow(refused('CUCKOO_TASK_NO_MINER'))
  })

  test('a task and its assignment to a miner that waits are one commit', async () => {
    let signed: Uint8Array | null = null
    const wrapStore = (store: CoordinatorStore): CoordinatorStore => ({
      ...store,
      async createTask(task) {
        const created = await store.createTask(task)
        signed = await store.getSignedAssignment(task.id, 1)
        return created
      },
    })
    const rig = await createCoordinatorRig({ wrapStore })
    const miner = await rig.openMiner(1)
    const taking = miner.take()
    await waitForPolls(rig, 1)
    const asking = rig.app.createTask({ body: native })
    const { assignment } = await taking
    expect(signed).not.toBeNull()
    expect((await asking).task?.id).toBe(assignment.taskId)
  })

  test('two requests with one idempotency key at once are one task, and a miner drawn for the other gets the next one', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    const polls = [(await rig.openMiner(1)).take(), (await rig.openMiner(2)).take()]
    await waitForPolls(rig, 2)
    const options = { headers: { 'idempotency-key': 'k-2' } }
    const answers = await Promise.all([rig.app.createTask({ body: native }, options), rig.app.createTask({ body: native }, options)])
    const { assignment } = await Promise.race(polls)
    expect(answers.map(({ task }) => task?.id)).toEqual([assignment.taskId, assignment.taskId])
    const { task } = await rig.app.createTask({ body: native })
    const taken = await Promise.all(polls)
    expect(taken.map((polled) => polled.assignment.taskId).toSorted()).toEqual([assignment.taskId, task?.id].toSorted())
    expect(await rig.store.countTasksByState()).toMatchObject({ queued: 0, assigned: 2 })
    expect(await rig.app.getMetrics({})).toContain('cuckoo_tasks_queued 0\n')
  })

  test('a task that could not be written reaches nobody, and the miner drawn for it gets the next one', async () => {
    let isFull = true
    const wrapStore = (store: CoordinatorStore): CoordinatorStore => ({
      ...store,
      createTask: (task) => (isFull ? Promise.reject(storeFull({ directory: 'here' })) : store.createTask(task)),
    })
    const rig = await createCoordinatorRig({ wrapStore })
    const miner = await rig.openMiner(1)
    const taking = miner.take()
    await waitForPolls(rig, 1)
    await expect(rig.app.createTask({ body: native })).rejects.toThrow(refused('CUCKOO_STORE_FULL'))
    expect(await rig.app.getMetrics({})).toContain('cuckoo_tasks_queued 0\n')
    isFull = false
    const { task } = await rig.app.createTask({ body: native })
    expect((await taking).assignment.taskId).toBe(task?.id)
  })

  test('a revoked key stops at once, also when another process revokes it', async () => {
    const rig = await createCoordinatorRig()
    await rig.app.listModels({})
    const apps = await openAppStore({ directory: rig.directory })
    const [app] = await apps.listApps()
    await apps.revokeApp(app?.id ?? '', Date.now())
    await apps.close()
    await expect(rig.app.listModels({})).rejects.toThrow(refused('CUCKOO_API_KEY_INVALID'))
  })

  test('while its own bond is not in order the coordinator takes no tasks and says why', async () => {
    const rig = await createCoordinatorRig()
    await rig.openMiner(1)
    expect(await rig.app.getReadiness({})).toMatchObject({ status: 'ready', miners: 1, models: ['test/letters'] })
    rig.chain.setNodes(rig.records.map((record) => (record.role === 'coordinator' ? { ...record, bondWei: 2_000_000n * 10n ** 18n } : record)))
    await expect(rig.app.createCompletion({ body: completion })).rejects.toThrow(refused('CUCKOO_COORDINATOR_NOT_READY'))
    await expect(rig.app.getReadiness({})).rejects.toThrow('is not over 2000000 CAI')
  })
})

describe('an app that leaves (fault 18)', () => {
  const waitForState = (rig: Awaited<ReturnType<typeof createCoordinatorRig>>, state: string) =>
    vi.waitFor(async () => expect(await rig.store.countTasksByState()).toMatchObject({ [state]: 1 }), { timeout: 5_000 })

  test('its streaming task is cancelled and the miner told', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const leaving = new AbortController()
    const { events } = await rig.app.open('createCompletion', { body: { ...completion, stream: true } }, { signal: leaving.signal })
    const task = await miner.take()
    await miner.push(task, 0, toLetterIds('ab'))
    await events[Symbol.asyncIterator]().next()
    leaving.abort()
    await waitForState(rig, 'cancelled')
    expect(await miner.push(task, 2, toLetterIds('c'))).toEqual({ cancel: true })
  })

  test('its waiting task goes on and can be asked for', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const leaving = new AbortController()
    const asking = rig.app.createCompletion({ body: completion }, { signal: leaving.signal, headers: { 'idempotency-key': 'back-later' } })
    const task = await miner.take()
    leaving.abort()
    await expect(asking).rejects.toThrow()
    await miner.submit(task, createSubmission(rig.chain.domainSeparator, miner.signer, task, toTextOutput(task, 'still here')))
    const answer = await rig.app.createCompletion({ body: completion }, { headers: { 'idempotency-key': 'back-later' } })
    expect(answer.choices[0]?.text).toBe('still here')
  })
})
