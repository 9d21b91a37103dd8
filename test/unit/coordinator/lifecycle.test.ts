import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { toLogHead } from '../../../src/coordinator/drawLog.ts'
import { weiPerCai } from '../../../src/domain/amount.ts'
import { sha256 } from '../../../src/domain/canonical.ts'
import { toDrawRef } from '../../../src/domain/draw.ts'
import { type Hash, zeroHash } from '../../../src/domain/hex.ts'
import { toManifestDigest } from '../../../src/domain/manifest.ts'
import type { DrawRecord } from '../../../src/domain/storePorts.ts'
import {
  type CoordinatorRig,
  createCoordinatorRig,
  createLetterManifest,
  createSubmission,
  endCoordinatorRigs,
  toPrices,
  toTextOutput,
  waitForPolls,
} from '../../support/coordinatorRig.ts'

afterEach(endCoordinatorRigs)

const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })
const body = { model: 'test/letters', kind: 'completion' as const, input: { prompt: 'abc' }, params: {}, dryRun: false }
const createTask = async (rig: CoordinatorRig): Promise<Hash> => (await rig.app.createTask({ body })).task?.id ?? '0x'

describe('restart', () => {
  test('queued tasks stay queued, and a leased one takes the result of the miner that holds it', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const leased = await createTask(rig)
    const task = await miner.take()
    const queued = await createTask(rig)
    await rig.restart()
    expect(rig.store.incarnation).toBe(2)
    const again = await rig.openMiner(1)
    await again.submit(task, createSubmission(rig.chain.domainSeparator, again.signer, task, toTextOutput(task, 'kept')))
    expect((await again.answer('next')).assignment).toMatchObject({ taskId: queued, attempt: 1 })
    expect(await rig.app.getTask({ params: { id: leased } })).toMatchObject({ state: 'done', text: 'kept', attempt: 1 })
    expect(await rig.app.getTask({ params: { id: queued } })).toMatchObject({ state: 'done', text: 'next' })
    const { assignment } = await (async () => {
      await createTask(rig)
      return again.take()
    })()
    expect(assignment.taskId.slice(0, 18)).toBe('0x0000000000000002')
  })

  test('a leased task whose miner does not come back goes to another after its lease', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000], config: { leaseMs: 800, heartbeatMs: 200 } })
    const gone = await rig.openMiner(1)
    const id = await createTask(rig)
    await gone.take()
    await rig.restart()
    const heir = await rig.openMiner(2)
    expect((await heir.answer()).assignment).toMatchObject({ taskId: id, attempt: 2 })
  })

  test('from a backup cancels what was open, so that no attempt is ever signed twice', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const leased = await createTask(rig)
    const task = await miner.take()
    const queued = await createTask(rig)
    await rig.restart({ restored: true })
    const again = await rig.openMiner(1)
    await expect(again.submit(task, createSubmission(rig.chain.domainSeparator, again.signer, task, toTextOutput(task, 'late')))).rejects.toEqual(
      refused('CUCKOO_TASK_LEASE_LOST'),
    )
    for (const id of [leased, queued]) expect(await rig.app.getTask({ params: { id } })).toMatchObject({ state: 'cancelled' })
    const next = await createTask(rig)
    expect((await again.answer()).assignment).toMatchObject({ taskId: next, attempt: 1 })
  })

  test('streamed text reaches its reader also when the task was made before the restart', async () => {
    const rig = await createCoordinatorRig()
    const first = await rig.openMiner(1)
    const { task } = await rig.app.createTask({ body: { ...body, params: { stop: ['END'] } } })
    await first.leave()
    await rig.restart()
    const { events } = await rig.app.open('watchTask', { params: { id: task?.id ?? '0x' } })
    const seen: string[] = []
    const reading = (async () => {
      for await (const event of events) if (event.type === 'text') seen.push(event.text)
    })()
    const miner = await rig.openMiner(1)
    const polled = await miner.take()
    await miner.submit(polled, createSubmission(rig.chain.domainSeparator, miner.signer, polled, toTextOutput(polled, 'textEND')))
    await reading
    expect(seen.join('')).toBe('text')
  })
})

describe('drain', () => {
  test('refuses new tasks with 503, tells waiting miners why, lets running ones finish, keeps the rest', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    const [busy, idle] = [await rig.openMiner(1), await rig.openMiner(2, { models: [{ manifest: createLetterManifest('test/other') }] })]
    const running = rig.app.createCompletion({ body: { model: 'test/letters', prompt: 'x' } })
    const task = await busy.take()
    const queued = rig.app.createCompletion({ body: { model: 'test/letters', prompt: 'y' } })
    const polling = idle.poll().catch((error: unknown) => error)
    await vi.waitFor(async () => expect(await rig.store.countTasksByState()).toMatchObject({ queued: 1, assigned: 1 }))
    const stopped = expect(queued).rejects.toThrow(refused('CUCKOO_COORDINATOR_DRAINING', { httpStatus: 503 }))
    const draining = rig.serving.drain()
    await stopped
    expect(await polling).toMatchObject({ code: 'CUCKOO_COORDINATOR_DRAINING', httpStatus: 503, facts: { retryAfterSeconds: 2 } })
    await expect(idle.poll()).rejects.toThrow(refused('CUCKOO_COORDINATOR_DRAINING', { httpStatus: 503 }))
    await expect(rig.app.createCompletion({ body: { model: 'test/letters', prompt: 'z' } })).rejects.toThrow(refused('CUCKOO_COORDINATOR_DRAINING'))
    await expect(rig.app.getReadiness({})).rejects.toThrow(refused('CUCKOO_COORDINATOR_DRAINING'))
    await busy.submit(task, createSubmission(rig.chain.domainSeparator, busy.signer, task, toTextOutput(task, 'made it')))
    expect((await running).choices[0]?.text).toBe('made it')
    await draining
    const file = new DatabaseSync(join(rig.directory, 'coordinator.sqlite'))
    expect(file.prepare('SELECT state FROM tasks ORDER BY rowid').all()).toMatchObject([{ state: 'done' }, { state: 'queued' }])
    file.close()
  })

  test('waits no longer than its grace for a miner that hangs', async () => {
    const rig = await createCoordinatorRig({ config: { graceMs: 300 } })
    const miner = await rig.openMiner(1)
    const asking = expect(rig.app.createCompletion({ body: { model: 'test/letters', prompt: 'x' } })).rejects.toThrow(refused('CUCKOO_COORDINATOR_DRAINING'))
    await miner.take()
    const startedAt = performance.now()
    await rig.serving.drain()
    await asking
    expect(performance.now() - startedAt).toBeLessThan(2_500)
  })
})

describe('models', () => {
  test('a model is servable once its tokenizer files are here, and only files that a manifest names are taken', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { withholdFiles: true })
    const [hash] = miner.opened.wanted
    expect(miner.opened.wanted.length).toBe(1)
    expect((await rig.app.listModels({})).data).toEqual([])
    expect((await miner.poll(50)).reasons[0]).toContain('tokenizer files have not been handed in')
    await expect(rig.app.createTask({ body })).rejects.toThrow(refused('CUCKOO_MODEL_UNKNOWN'))
    await expect(miner.client.putBlob({ params: { hash: hash as Hash }, body: Buffer.from('other') })).rejects.toThrow(refused('CUCKOO_BLOB_INVALID'))
    await expect(miner.client.putBlob({ params: { hash: zeroHash }, body: Buffer.from('other') })).rejects.toThrow(refused('CUCKOO_BLOB_INVALID'))
    expect(await miner.client.putBlob({ params: { hash: hash as Hash }, body: Buffer.from('{"letters":true}') })).toEqual({
      usable: ['test/letters'],
      refused: [],
    })
    expect((await rig.app.listModels({})).data).toMatchObject([{ id: 'test/letters', owned_by: 'test', cuckoo: { miners: 1, chat: true } }])
    const digest = toManifestDigest(createLetterManifest())
    expect(await rig.app.getManifest({ params: { digest } })).toEqual(createLetterManifest())
    await expect(rig.app.getManifest({ params: { digest: zeroHash } })).rejects.toThrow(refused('CUCKOO_MODEL_UNKNOWN'))
  })

  test('a name means the first manifest that could be served, also after a restart; another one is refused with its reason', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    await rig.openMiner(1)
    const other = { models: [{ manifest: createLetterManifest('test/letters', { dtype: 'q8' }) }, { manifest: createLetterManifest('test/second') }] }
    const second = await rig.openMiner(2, other)
    const digest = toManifestDigest(createLetterManifest())
    expect(second.opened.refused).toMatchObject([{ model: 'test/letters', code: 'CUCKOO_MANIFEST_INVALID', message: expect.stringContaining(digest) }])
    expect((await rig.app.listModels({})).data.map((model) => [model.id, model.cuckoo.miners])).toEqual([
      ['test/letters', 1],
      ['test/second', 1],
    ])
    await rig.restart()
    expect((await rig.openMiner(2, other)).opened).toMatchObject({ wanted: [], refused: [{ model: 'test/letters' }] })
  })

  test.each([
    [
      'a path out of its folder',
      createLetterManifest('test/x', { files: [...createLetterManifest().files, { path: 'a/../../b', bytes: 1, sha256: zeroHash }] }),
    ],
    ['an absolute path', createLetterManifest('test/x', { files: [...createLetterManifest().files, { path: '/etc/passwd', bytes: 1, sha256: zeroHash }] })],
    ['no tokenizer', createLetterManifest('test/x', { files: createLetterManifest().files.slice(1) })],
    ['a name that is a path', createLetterManifest('../x')],
    ['a file named twice', createLetterManifest('test/x', { files: [...createLetterManifest().files, ...createLetterManifest().files] })],
  ])('a manifest with %s is refused', async (_, manifest) => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { models: [{ manifest }] })
    expect(miner.opened).toMatchObject({ wanted: [], refused: [{ code: 'CUCKOO_MANIFEST_INVALID' }] })
    expect((await miner.poll(50)).reasons).toContain('none of your models was accepted at the handshake')
  })

  test('a model whose tokenizer does not open is refused when its files are handed in', async () => {
    const rig = await createCoordinatorRig()
    const bytes = Buffer.from('{"letters":false}')
    const files = [{ path: 'tokenizer.json', bytes: bytes.length, sha256: sha256(bytes) }]
    const miner = await rig.openMiner(1, { models: [{ manifest: createLetterManifest('test/broken', { files }) }], withholdFiles: true })
    const answer = await miner.client.putBlob({ params: { hash: sha256(bytes) }, body: bytes })
    expect(answer).toMatchObject({ usable: [], refused: [{ model: 'test/broken', code: 'CUCKOO_MANIFEST_INVALID' }] })
    expect((await miner.poll(50)).reasons).toContain('none of your models was accepted at the handshake')
  })

  test('listed: only manifests of the list', async () => {
    const listed = createLetterManifest('test/listed')
    const rig = await createCoordinatorRig({ config: { acceptManifests: 'listed', listedDigests: [toManifestDigest(listed)] } })
    const miner = await rig.openMiner(1, { models: [{ manifest: listed }, { manifest: createLetterManifest() }] })
    expect(miner.opened.refused.map((model) => model.model)).toEqual(['test/letters'])
  })
})

describe('prices', () => {
  const unitPriceWei = toPrices({ text: 100n, embedding: 100n })

  test('a miner that asks for more than a model pays is never drawn for it, and told so', async () => {
    const rig = await createCoordinatorRig({ miners: [10_000_000, 21_000], config: { unitPriceWei } })
    const dear = await rig.openMiner(1, { minUnitPriceWei: 101n })
    expect(dear.opened.refused).toMatchObject([{ model: 'test/letters', code: 'CUCKOO_MODEL_UNDERPRICED' }])
    const fair = await rig.openMiner(2, { minUnitPriceWei: 100n })
    const polling = dear.poll(300)
    for (let task = 0; task < 5; task++) {
      await rig.app.createTask({ body })
      await fair.answer()
    }
    const { task, reasons } = await polling
    expect(task).toBeNull()
    expect(reasons[0]).toBe("your minimum price of 101 wei per unit is above this coordinator's 100 wei for 'test/letters'")
    expect(reasons.join()).not.toContain('by the draw')
    await fair.leave()
    await expect(rig.app.createTask({ body })).rejects.toThrow(refused('CUCKOO_TASK_NO_MINER'))
  })

  test('a task made at an older, lower price goes only to a miner that takes it, and holds up nobody', async () => {
    const config = { unitPriceWei: { ...unitPriceWei } }
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000], config })
    const first = await rig.openMiner(1)
    const { task: old } = await rig.app.createTask({ body })
    await first.leave()
    Object.assign(config, { unitPriceWei: toPrices({ text: 200n }) })
    await rig.restart()
    const dear = await rig.openMiner(1, { minUnitPriceWei: 150n })
    const { task: fresh } = await rig.app.createTask({ body })
    expect((await dear.answer()).assignment).toMatchObject({ taskId: fresh?.id, unitPriceWei: 200n })
    expect((await dear.poll(50)).task).toBeNull()
    const cheap = await rig.openMiner(2, { minUnitPriceWei: 100n })
    expect((await cheap.answer()).assignment).toMatchObject({ taskId: old?.id, unitPriceWei: 100n })
  })
})

describe('polls', () => {
  test('an empty answer says why, with the weight of the miner', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 63_000] })
    const [one, two] = [await rig.openMiner(1), await rig.openMiner(2, { models: [{ manifest: createLetterManifest('test/other') }] })]
    expect((await one.poll(50)).reasons).toEqual(['no task is waiting for your models', 'your weight is 21000 CAI, 25.00 % of all active miners'])
    for (let count = 0; count < 2; count++) await createTask(rig)
    expect((await two.poll(50)).reasons).toContain('waiting: 2 tasks for other models')
    await one.take()
    expect((await one.poll(50)).reasons).toContain('all 1 of your slots hold a lease')
  })

  test('tasks that went to others by the draw are told', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 2_100_000_000] })
    const [small, large] = [await rig.openMiner(1), await rig.openMiner(2)]
    const waiting = small.poll(600)
    const answering = large.answer()
    await waitForPolls(rig, 2)
    await createTask(rig)
    await answering
    expect((await waiting).reasons[0]).toBe('1 task for your models went to other miners by the draw')
  })

  test('each slot takes a task, and no more than the slots', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { slots: 2 })
    const tasks = Promise.all([miner.take(), miner.take()])
    for (let count = 0; count < 3; count++) await createTask(rig)
    expect(new Set((await tasks).map((task) => task.assignment.taskId)).size).toBe(2)
    expect((await miner.poll(50)).task).toBeNull()
  })

  test('a miner that hangs up is not drawn', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    const hanging = new AbortController()
    const polling = miner.client.pollTask({ body: { free: 1, waitMs: 2_000 } }, { signal: hanging.signal })
    await waitForPolls(rig, 1)
    hanging.abort()
    await expect(polling).rejects.toThrow()
    await waitForPolls(rig, 0)
    await createTask(rig)
    expect(await rig.store.countTasksByState()).toMatchObject({ queued: 1 })
    expect((await miner.take()).assignment.attempt).toBe(1)
  })
})

interface DrawRow extends Pick<DrawRecord, 'attempt' | 'miner' | 'commitment' | 'k' | 'waiting' | 'head'> {
  draw_index: number
  task_id: Hash
  total_weight_wei: string
  at_ms: number
}

describe('the draw log', () => {
  test('can be replayed: each head follows from the one before, and each assignment names its draw', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 42_000] })
    const miners = [await rig.openMiner(1), await rig.openMiner(2)]
    const assignments = []
    for (let count = 0; count < 4; count++) {
      const mining = miners.map((miner) => miner.poll(800))
      await waitForPolls(rig, 2)
      await createTask(rig)
      const { task } = await Promise.race(
        mining.map(async (polling) => polling.then((answer) => (answer.task === null ? new Promise<never>(() => undefined) : answer))),
      )
      if (task !== null) {
        assignments.push(task.assignment)
        const miner = miners.find((one) => one.node === task.assignment.miner)
        await miner?.submit(task, createSubmission(rig.chain.domainSeparator, miner.signer, task, toTextOutput(task, 'x')))
      }
      await Promise.all(mining)
    }
    const file = new DatabaseSync(join(rig.directory, 'coordinator.sqlite'))
    const rows = file.prepare('SELECT * FROM draws ORDER BY draw_index').all() as unknown as DrawRow[]
    file.close()
    let head: Hash = zeroHash
    for (const [index, row] of rows.entries()) {
      const entry: Omit<DrawRecord, 'head'> = {
        index: BigInt(row.draw_index),
        taskId: row.task_id,
        attempt: row.attempt,
        miner: row.miner,
        commitment: row.commitment,
        k: row.k,
        totalWeightWei: BigInt(row.total_weight_wei),
        waiting: row.waiting,
        atMs: row.at_ms,
      }
      expect(assignments[index]?.drawRef).toBe(toDrawRef(entry.commitment, BigInt(index), head))
      expect(assignments[index]?.miner).toBe(entry.miner)
      expect(entry).toMatchObject({ waiting: 2, totalWeightWei: 63_000n * weiPerCai })
      head = toLogHead(head, entry)
      expect(row.head).toBe(head)
    }
    expect(rows.length).toBe(4)
    expect((await miners[0]?.poll(10))?.logHead).toBe(head)
  })
})
