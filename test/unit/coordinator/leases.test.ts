import { afterEach, describe, expect, test } from 'vitest'
import { weiPerCai } from '../../../src/domain/amount.ts'
import type { Hash } from '../../../src/domain/hex.ts'
import {
  type CoordinatorRig,
  createCoordinatorRig,
  createLetterManifest,
  createSubmission,
  endCoordinatorRigs,
  type PolledTask,
  type SimulatedMiner,
  toLetterIds,
  toMinerNode,
  toTextOutput,
} from '../../support/coordinatorRig.ts'

afterEach(endCoordinatorRigs)

const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })

async function createTask(rig: CoordinatorRig, more: object = {}): Promise<Hash> {
  const { task } = await rig.app.createTask({
    body: { model: 'test/letters', kind: 'completion', input: { prompt: 'abc' }, params: {}, dryRun: false, ...more },
  })
  return task?.id ?? '0x'
}

const getTask = (rig: CoordinatorRig, id: Hash) => rig.app.getTask({ params: { id } })
const toSubmission = (rig: CoordinatorRig, miner: SimulatedMiner, task: PolledTask, text: string) =>
  createSubmission(rig.chain.domainSeparator, miner.signer, task, toTextOutput(task, text))

describe('leases', () => {
  test('a miner that dies in a task loses it when its lease ends, and another one answers in attempt 2 (fault 3)', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 42_000], config: { leaseMs: 1_500 } })
    const dead = await rig.openMiner(1)
    const id = await createTask(rig)
    const startedAt = performance.now()
    await dead.take()
    const heir = await rig.openMiner(2)
    const task = await heir.take(2_000)
    expect(performance.now() - startedAt).toBeGreaterThan(1_000)
    expect(task.assignment).toMatchObject({ taskId: id, attempt: 2, miner: heir.node })
    await heir.submit(task, toSubmission(rig, heir, task, 'done'))
    expect(await getTask(rig, id)).toMatchObject({
      state: 'done',
      attempt: 2,
      miner: heir.node,
      failures: [{ attempt: 1, miner: dead.node, code: 'CUCKOO_ATTEMPT_LEASE_EXPIRED' }],
    })
  })

  test('the late result of a miner that was cut off is 409, and counts nothing (fault 4)', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 42_000], config: { leaseMs: 600, heartbeatMs: 1_000 } })
    const late = await rig.openMiner(1)
    const id = await createTask(rig)
    const first = await late.take()
    const heir = await rig.openMiner(2)
    const second = await heir.take()
    await heir.submit(second, toSubmission(rig, heir, second, 'mine'))
    const again = await rig.openMiner(1).catch(() => late)
    await expect(again.submit(first, toSubmission(rig, late, first, 'late'))).rejects.toThrow(refused('CUCKOO_TASK_LEASE_LOST', { httpStatus: 409 }))
    await expect(again.heartbeat(first)).rejects.toThrow(refused('CUCKOO_TASK_LEASE_LOST'))
    expect(await getTask(rig, id)).toMatchObject({ text: 'mine', miner: heir.node })
  })

  test('heartbeats keep a lease past its first length', async () => {
    const rig = await createCoordinatorRig({ config: { leaseMs: 1_600, heartbeatMs: 400 } })
    const miner = await rig.openMiner(1)
    const id = await createTask(rig)
    const task = await miner.take()
    for (let beat = 0; beat < 5; beat++) {
      await new Promise((resolve) => setTimeout(resolve, 400))
      expect((await miner.heartbeat(task)).leaseMs).toBe(1_600)
    }
    expect(await getTask(rig, id)).toMatchObject({ state: 'running', attempt: 1 })
    await miner.submit(task, toSubmission(rig, miner, task, 'slow'))
    expect(await getTask(rig, id)).toMatchObject({ state: 'done', attempt: 1 })
  })

  test('no lease is renewed beyond the deadline that was signed', async () => {
    const rig = await createCoordinatorRig({ config: { maxTaskMs: 3_000, leaseMs: 2_800 } })
    const miner = await rig.openMiner(1)
    await createTask(rig)
    const task = await miner.take()
    expect(task.assignment.deadline - task.assignment.issuedAt).toBe(3n)
    await new Promise((resolve) => setTimeout(resolve, 900))
    expect((await miner.heartbeat(task)).leaseMs).toBeLessThan(2_300)
  })

  test('a fast miner gets a short lease, never under three heartbeats', async () => {
    const rig = await createCoordinatorRig({ config: { leaseMs: 20_000, heartbeatMs: 500 } })
    const miner = await rig.openMiner(1, { models: [{ manifest: createLetterManifest(), unitsPerSecond: 10 }] })
    await createTask(rig, { params: { maxTokens: 40 } })
    expect((await miner.answer()).leaseMs).toBe(8_000)
    await createTask(rig, { params: { maxTokens: 1 } })
    expect((await miner.take()).leaseMs).toBe(1_500)
  })

  test('three distinct miners fail a task: dead, with every reason', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000, 21_000] })
    const miners = await Promise.all([1, 2, 3].map((index) => rig.openMiner(index)))
    const asking = rig.app.createCompletion({ body: { model: 'test/letters', prompt: 'x' } })
    const failed = new Set<string>()
    for (const miner of miners)
      void (async () => {
        const task = await miner.take(5_000)
        failed.add(miner.node)
        await miner.fail(task, `CUCKOO_TEST_${miner.node.slice(-1)}`)
      })()
    await expect(asking).rejects.toThrow(
      refused('CUCKOO_TASK_DEAD', { httpStatus: 502, message: expect.stringMatching(/CUCKOO_TEST_[\s\S]*CUCKOO_TEST_[\s\S]*CUCKOO_TEST_/) }),
    )
    expect(failed.size).toBe(3)
  })

  test('the only miner there is tried twice and no more', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const id = await createTask(rig)
    await miner.fail(await miner.take())
    const second = await miner.take()
    expect(second.assignment.attempt).toBe(2)
    await miner.fail(second)
    expect(await getTask(rig, id)).toMatchObject({ state: 'dead', failures: [{ attempt: 1 }, { attempt: 2 }] })
  })

  test('a miner that failed a task is passed over while another one is there, busy or not', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    const [first, second] = [await rig.openMiner(1), await rig.openMiner(2)]
    const id = await createTask(rig, { miner: undefined })
    const task = await first.take()
    await first.fail(task)
    const empty = await first.poll(300)
    expect(empty.task).toBeNull()
    expect(empty.reasons.join()).toContain('1 task for your models that you failed before')
    expect((await second.answer()).assignment).toMatchObject({ taskId: id, attempt: 2 })
  })

  test('a miner that says goodbye gives its tasks back at once, and is not blamed', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    const [leaving, staying] = [await rig.openMiner(1), await rig.openMiner(2)]
    const id = await createTask(rig)
    await leaving.take()
    await leaving.leave()
    expect((await staying.answer('taken over')).assignment).toMatchObject({ taskId: id, attempt: 2 })
    expect(await getTask(rig, id)).toMatchObject({ text: 'taken over', failures: [{ code: 'CUCKOO_ATTEMPT_MINER_LEFT' }] })
  })

  test('a task for one miner goes to no other', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 2_100_000] })
    const [target, other] = [await rig.openMiner(1), await rig.openMiner(2)]
    const id = await createTask(rig, { miner: target.node })
    expect((await other.poll(200)).reasons.join()).toContain('that name another miner')
    expect((await target.answer()).assignment.taskId).toBe(id)
  })

  test('what no miner can do has failed once two say so', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000, 21_000] })
    const miners = [await rig.openMiner(1), await rig.openMiner(2), await rig.openMiner(3)] as const
    const id = await createTask(rig)
    await miners[0].fail(await miners[0].take(), 'CUCKOO_TEST_IMPOSSIBLE', true)
    expect(await getTask(rig, id)).toMatchObject({ state: 'queued' })
    await miners[1].fail(await miners[1].take(), 'CUCKOO_TEST_IMPOSSIBLE', true)
    expect(await getTask(rig, id)).toMatchObject({ state: 'failed' })
  })
})

describe('results', () => {
  test('the same result twice: the same answer, one row (fault 5)', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    await createTask(rig)
    const task = await miner.take()
    const body = toSubmission(rig, miner, task, 'once')
    const answers = await Promise.all([miner.submit(task, body), miner.submit(task, body), miner.submit(task, body)])
    answers.push(await miner.submit(task, body))
    expect(new Set(answers.map((answer) => `${answer.priceWei} wei for ${answer.units}`)).size).toBe(1)
    expect(await rig.store.countTasksByState()).toMatchObject({ done: 1 })
    const other = toSubmission(rig, miner, task, 'twice')
    await expect(miner.submit(task, other)).rejects.toThrow(refused('CUCKOO_TASK_RESULT_INVALID'))
  })

  test('a forged or foreign result is 403, and the miner that holds the task goes on (fault 6)', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 42_000] })
    const [holder, stranger] = [await rig.openMiner(1), await rig.openMiner(2)]
    await createTask(rig)
    const task = await holder.take()
    const forbidden = refused('CUCKOO_API_SIGNATURE_FOREIGN', { httpStatus: 403 })
    await expect(holder.submit(task, toSubmission(rig, stranger, task, 'x'))).rejects.toThrow(forbidden)
    await expect(stranger.submit(task, toSubmission(rig, stranger, task, 'x'))).rejects.toThrow(forbidden)
    await expect(stranger.submit(task, toSubmission(rig, holder, task, 'x'))).rejects.toThrow(forbidden)
    await holder.submit(task, toSubmission(rig, holder, task, 'honest'))
    expect(await rig.store.countTasksByState()).toMatchObject({ done: 1 })
  })

  test.each<[string, (rig: CoordinatorRig, miner: SimulatedMiner, task: PolledTask) => ReturnType<typeof createSubmission>]>([
    [
      'another assignment',
      (rig, miner, task) => createSubmission(rig.chain.domainSeparator, miner.signer, task, toTextOutput(task, 'x'), { assignment: `0x${'1'.repeat(64)}` }),
    ],
    [
      'another output hash',
      (rig, miner, task) => createSubmission(rig.chain.domainSeparator, miner.signer, task, toTextOutput(task, 'x'), { outputHash: `0x${'1'.repeat(64)}` }),
    ],
    ['more units than tokens', (rig, miner, task) => createSubmission(rig.chain.domainSeparator, miner.signer, task, toTextOutput(task, 'x'), { units: 9n })],
    [
      'another finish reason than its output',
      (rig, miner, task) => createSubmission(rig.chain.domainSeparator, miner.signer, task, toTextOutput(task, 'x'), { finishReason: 2 }),
    ],
    [
      'too many tokens',
      (rig, miner, task) => createSubmission(rig.chain.domainSeparator, miner.signer, task, { tokenIds: toLetterIds('x'.repeat(11)), finishReason: 'length' }),
    ],
    [
      "'length' before the end",
      (rig, miner, task) => createSubmission(rig.chain.domainSeparator, miner.signer, task, { tokenIds: toLetterIds('x'), finishReason: 'length' }),
    ],
    [
      "'stop' with every token used",
      (rig, miner, task) => createSubmission(rig.chain.domainSeparator, miner.signer, task, { tokenIds: toLetterIds('x'.repeat(10)), finishReason: 'stop' }),
    ],
    [
      'a token that ends a text',
      (rig, miner, task) => createSubmission(rig.chain.domainSeparator, miner.signer, task, { tokenIds: [20, 2, 20], finishReason: 'stop' }),
    ],
    [
      'an embedding for a text',
      (rig, miner, task) => createSubmission(rig.chain.domainSeparator, miner.signer, task, { dimensions: 1, embeddings: ['AAAAAA=='] }, { units: 0n }),
    ],
  ])('a signed result with %s is refused', async (_, make) => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    await createTask(rig, { params: { maxTokens: 10 } })
    const task = await miner.take()
    await expect(miner.submit(task, make(rig, miner, task))).rejects.toThrow(refused('CUCKOO_TASK_RESULT_INVALID', { httpStatus: 422 }))
    await miner.submit(task, toSubmission(rig, miner, task, 'fine'))
  })

  test('streamed tokens have to be the beginning of the result, without gaps or second thoughts', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    await createTask(rig, { params: { maxTokens: 10 } })
    const task = await miner.take()
    const invalid = refused('CUCKOO_TASK_RESULT_INVALID')
    await miner.push(task, 0, toLetterIds('ab'))
    await miner.push(task, 0, toLetterIds('abc'))
    await expect(miner.push(task, 5, toLetterIds('x'))).rejects.toThrow(invalid)
    await expect(miner.push(task, 1, toLetterIds('x'))).rejects.toThrow(invalid)
    await expect(miner.push(task, 3, toLetterIds('x'.repeat(8)))).rejects.toThrow(invalid)
    await expect(miner.submit(task, toSubmission(rig, miner, task, 'abX'))).rejects.toThrow(invalid)
    await expect(miner.submit(task, toSubmission(rig, miner, task, 'ab'))).rejects.toThrow(invalid)
    await miner.submit(task, toSubmission(rig, miner, task, 'abcd'))
  })

  test('a vector with a value that is no number is refused', async () => {
    const rig = await createCoordinatorRig()
    const manifest = createLetterManifest('test/vectors', { kind: 'embedding', pooling: 'mean', chatTemplate: false })
    const miner = await rig.openMiner(1, { models: [{ manifest }] })
    const asking = rig.app.createEmbedding({ body: { model: 'test/vectors', input: 'a' } })
    const task = await miner.take()
    const submit = (values: number[], dimensions = values.length) => {
      const output = { dimensions, embeddings: [Buffer.from(new Float32Array(values).buffer).toString('base64')] }
      return miner.submit(task, createSubmission(rig.chain.domainSeparator, miner.signer, task, output))
    }
    const invalid = refused('CUCKOO_TASK_RESULT_INVALID')
    await expect(submit([Number.NaN, 1])).rejects.toThrow(invalid)
    await expect(submit([1, 2], 3)).rejects.toThrow(invalid)
    await submit([1, 2])
    expect((await asking).data[0]?.embedding).toEqual([1, 2])
  })
})

describe('a stream over two miners', () => {
  const openStream = async (rig: CoordinatorRig) => {
    const { events, headers } = await rig.app.open('createCompletion', { body: { model: 'test/letters', prompt: 'x', stream: true, max_tokens: 20 } })
    const iterator = events[Symbol.asyncIterator]()
    return { next: async () => (await iterator.next()).value, id: headers['x-cuckoo-task'] as Hash }
  }

  test('goes on where the first one stopped, when the second one says the same', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    const first = await rig.openMiner(1)
    const { next } = await openStream(rig)
    const task = await first.take()
    await first.push(task, 0, toLetterIds('Once '))
    expect((await next())?.choices[0]?.text).toBe('Once ')
    const second = await rig.openMiner(2)
    await first.leave()
    const again = await second.take()
    await second.push(again, 0, toLetterIds('Once upon'))
    expect((await next())?.choices[0]?.text).toBe('upon')
    await second.submit(again, toSubmission(rig, second, again, 'Once upon a'))
    expect((await next())?.choices[0]?.text).toBe(' a')
    expect((await next())?.cuckoo?.miner).toBe(second.node)
  })

  test('ends with a coded error when the second one says something else; the task is kept', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    const first = await rig.openMiner(1)
    const { next, id } = await openStream(rig)
    const task = await first.take()
    await first.push(task, 0, toLetterIds('Once '))
    expect((await next())?.choices[0]?.text).toBe('Once ')
    const second = await rig.openMiner(2)
    await first.leave()
    const again = await second.take()
    const reading = expect(next()).rejects.toThrow(refused('CUCKOO_TASK_STREAM_DIVERGED'))
    await second.push(again, 0, toLetterIds('On the'))
    await reading
    await second.submit(again, toSubmission(rig, second, again, 'On the other'))
    expect(await getTask(rig, id)).toMatchObject({ state: 'done', text: 'On the other' })
  })
})

describe('standing on chain (fault 9)', () => {
  const withBond = (rig: CoordinatorRig, index: number, bondWei: bigint, active: boolean) =>
    rig.records.map((record) => (record.node === toMinerNode(index) ? { ...record, bondWei, active } : record))

  test('a miner that loses its bond is refused at its poll, and its running lease may finish', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { slots: 2 })
    const id = await createTask(rig)
    const task = await miner.take()
    const waiting = miner.poll()
    await new Promise((resolve) => setTimeout(resolve, 50))
    rig.chain.setNodes(withBond(rig, 1, 20_000n * weiPerCai, false))
    const ineligible = refused('CUCKOO_MINER_NOT_ELIGIBLE', {
      httpStatus: 403,
      message: expect.stringContaining('its bond of 20000 CAI is not over 20000 CAI'),
    })
    await expect(waiting).rejects.toThrow(ineligible)
    await expect(miner.poll()).rejects.toThrow(ineligible)
    await miner.heartbeat(task)
    await miner.submit(task, toSubmission(rig, miner, task, 'finished'))
    expect(await getTask(rig, id)).toMatchObject({ state: 'done', text: 'finished' })
    rig.chain.setNodes(rig.records)
    await createTask(rig)
    await miner.answer()
  })

  test('a bond of exactly the threshold opens no session, nor does a coordinator or a stranger', async () => {
    const rig = await createCoordinatorRig({ miners: [20_000, 21_000] })
    rig.chain.setNodes([...rig.records.slice(0, 2), ...rig.records.slice(2).map((record) => ({ ...record, role: 'coordinator' as const }))])
    await expect(rig.openMiner(1)).rejects.toThrow(refused('CUCKOO_MINER_NOT_ELIGIBLE', { message: expect.stringContaining('not over 20000 CAI') }))
    await expect(rig.openMiner(2)).rejects.toThrow(refused('CUCKOO_MINER_NOT_ELIGIBLE', { message: expect.stringContaining('as a coordinator') }))
    await expect(rig.openMiner(3)).rejects.toThrow(refused('CUCKOO_MINER_NOT_ELIGIBLE', { message: expect.stringContaining('not registered') }))
  })

  test('a second session with the same key is refused while the first lives', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    await expect(rig.openMiner(1)).rejects.toThrow(refused('CUCKOO_SESSION_TAKEN'))
    await miner.leave()
    await rig.openMiner(1)
  })
})
