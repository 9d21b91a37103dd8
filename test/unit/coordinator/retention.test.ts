import { afterEach, describe, expect, test, vi } from 'vitest'
import { sha256 } from '../../../src/domain/canonical.ts'
import type { CoordinatorStore } from '../../../src/domain/storePorts.ts'
import {
  type CoordinatorRig,
  createCoordinatorRig,
  createKindManifest,
  createLetterManifest,
  createPng,
  createSubmission,
  createWav,
  endCoordinatorRigs,
  toImageMedia,
} from '../../support/coordinatorRig.ts'

afterEach(endCoordinatorRigs)

const hour = 3_600_000
const day = 24 * hour
/** A miner that says nothing while the clock jumps stays. */
const patient = { heartbeatMs: 20 * day, keepMs: day }
const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })
const png = createPng(40, 30)
const ask = (prompt: string) => ({ model: 'test/letters', kind: 'completion' as const, input: { prompt }, params: { maxTokens: 2 }, dryRun: false })
const classify = (media: string | { sha256: `0x${string}` }) => ({
  body: { model: 'test/image-classification', kind: 'image-classification' as const, input: { media }, params: {}, dryRun: false },
})
const toDataUrl = (data: Uint8Array) => `data:image/png;base64,${Buffer.from(data).toString('base64')}`

async function waitForMetric(rig: CoordinatorRig, line: string): Promise<void> {
  await vi.waitFor(async () => expect(await rig.app.getMetrics({})).toContain(`${line}\n`), { timeout: 5_000 })
}

describe('contents of ended tasks', () => {
  test('are answered until --keep is over; then every route says 410 with the dates, and row and receipt stay in the store', async () => {
    const rig = await createCoordinatorRig({ config: patient })
    const miner = await rig.openMiner(1)
    const create = async (prompt: string) => {
      const { task } = await rig.app.createTask({ body: ask(prompt) })
      await miner.answer('ok')
      return task?.id as `0x${string}`
    }
    const old = await create('old')
    rig.clock.advance(20 * hour)
    const young = await create('young')
    const open = (await rig.app.createTask({ body: ask('open') })).task?.id as `0x${string}`
    rig.clock.advance(6 * hour)
    const record = await rig.store.getTask(old)
    await vi.waitFor(async () => expect(await rig.store.getBlob(record?.inputHash as `0x${string}`)).toBeNull(), { timeout: 5_000 })
    // The younger task has the same output.
    expect(await rig.store.getBlob(record?.outputHash as `0x${string}`)).not.toBeNull()
    expect(record).toMatchObject({ state: 'done', receipt: { assignment: { taskId: old } } })
    const endedAt = new Date(record?.finishedAtMs as number).toISOString().slice(0, 19)
    for (const call of [rig.app.getReceipt({ params: { id: old } }), rig.app.getTask({ params: { id: old }, query: { waitMs: 0 } })])
      await expect(call).rejects.toThrow(
        refused('CUCKOO_TASK_CONTENT_DELETED', {
          httpStatus: 410,
          message: expect.stringContaining(`ended at ${endedAt}Z`),
          hint: expect.stringContaining('--keep'),
        }),
      )
    expect(await rig.app.getTask({ params: { id: young }, query: { waitMs: 0 } })).toMatchObject({ state: 'done', text: 'ok' })
    expect((await rig.app.getReceipt({ params: { id: young } })).content.kind).toBe('completion')
    await miner.answer('ok')
    expect(await rig.app.getTask({ params: { id: open }, query: { waitMs: 2_000 } })).toMatchObject({ state: 'done', text: 'ok' })
  })

  test('an idempotency key from before them answers 410, and makes no second task', async () => {
    const rig = await createCoordinatorRig({ config: patient })
    const miner = await rig.openMiner(1)
    const complete = async () => {
      const headers = { authorization: `Bearer ${rig.apiKey}`, 'content-type': 'application/json', 'idempotency-key': 'same' }
      const body = JSON.stringify({ model: 'test/letters', prompt: 'a', max_tokens: 2 })
      const response = await fetch(`${rig.serving.url}/v1/completions`, { method: 'POST', headers, body })
      return { status: response.status, body: (await response.json()) as { error?: { code: string } } }
    }
    const [first] = await Promise.all([complete(), miner.answer('ok')])
    expect(first.status).toBe(200)
    rig.clock.advance(26 * hour)
    await waitForMetric(rig, 'cuckoo_blobs_deleted_total{of="task"} 3')
    expect(await complete()).toMatchObject({ status: 410, body: { error: { code: 'CUCKOO_TASK_CONTENT_DELETED' } } })
    expect((await rig.store.listTasks({ limit: 10 })).length).toBe(1)
  })

  test('a blob that is lost, and not deleted after its time, is still told as a fault', async () => {
    const lost = new Set<string>()
    const wrapStore = (store: CoordinatorStore) => ({ ...store, getBlob: async (hash: `0x${string}`) => (lost.has(hash) ? null : store.getBlob(hash)) })
    const rig = await createCoordinatorRig({ config: patient, wrapStore })
    const miner = await rig.openMiner(1)
    const { task } = await rig.app.createTask({ body: ask('a') })
    await miner.answer('ok')
    const record = await rig.store.getTask(task?.id as `0x${string}`)
    lost.add(record?.outputHash as string)
    const get = () => rig.app.getTask({ params: { id: task?.id as `0x${string}` }, query: { waitMs: 0 } })
    await expect(get()).rejects.toThrow(refused('CUCKOO_COORDINATOR_CONTENT_MISSING', { httpStatus: 500 }))
  })

  test('outlive a restart, whose first sweep goes on where the last one was', async () => {
    const rig = await createCoordinatorRig({ config: patient })
    const miner = await rig.openMiner(1)
    const { task } = await rig.app.createTask({ body: ask('a') })
    await miner.answer('ok')
    const params = { id: task?.id as `0x${string}` }
    await rig.restart({ keepMs: 60 * day })
    rig.clock.advance(26 * hour)
    expect(await rig.app.getTask({ params, query: { waitMs: 0 } })).toMatchObject({ text: 'ok' })
    await rig.restart()
    await waitForMetric(rig, 'cuckoo_blobs_deleted_total{of="task"} 3')
    await expect(rig.app.getTask({ params, query: { waitMs: 0 } })).rejects.toThrow(refused('CUCKOO_TASK_CONTENT_DELETED'))
  })

  test('a time in which a dispute could not end is refused with the one that can', async () => {
    // The devnet's: 8 minutes of evidence and three rounds of 10 s + 3 min.
    const seconds = 480 + 3 * 190
    const rejected = createCoordinatorRig({ config: { keepMs: (seconds - 1) * 1000 } })
    await expect(rejected).rejects.toThrow(
      refused('CUCKOO_COORDINATOR_KEEP_TOO_SHORT', { kind: 'usage', facts: { keepSeconds: seconds - 1, minimumSeconds: seconds } }),
    )
    await endCoordinatorRigs()
    await createCoordinatorRig({ config: { keepMs: seconds * 1000 } })
  })
})

describe('media', () => {
  const models = [{ manifest: createKindManifest('image-classification') }, { manifest: createKindManifest('image') }]

  test('that no task names go after an hour; those of tasks, in and out, stay as long as these', async () => {
    const rig = await createCoordinatorRig({ config: patient })
    const miner = await rig.openMiner(1, { models })
    const unnamed = createWav(1_200)
    const drawn = createPng(40, 32, 2)
    await rig.app.uploadMedia({ body: unnamed })
    await rig.app.uploadMedia({ body: png })
    await rig.app.createTask(classify({ sha256: sha256(png) }))
    await miner.answerWith({ labels: [{ label: 'cat', score: 1 }] })
    const draw = { model: 'test/image', kind: 'image' as const, input: { prompt: 'a cat' }, params: { count: 1, width: 40, height: 32 }, dryRun: false }
    await rig.app.createTask({ body: draw })
    await miner.answerWith({ images: [toImageMedia(drawn, 40, 32)] }, [drawn])
    const get = (data: Uint8Array) => rig.app.getMedia({ params: { hash: sha256(data) } })
    rig.clock.advance(hour)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await get(unnamed)
    rig.clock.advance(hour)
    await waitForMetric(rig, `cuckoo_blob_bytes_deleted_total{of="upload"} ${unnamed.length}`)
    await expect(get(unnamed)).rejects.toThrow(refused('CUCKOO_API_MEDIA_ABSENT', { httpStatus: 404 }))
    await Promise.all([get(png), get(drawn)])
    rig.clock.advance(day)
    await vi.waitFor(() => expect(get(png)).rejects.toThrow(refused('CUCKOO_API_MEDIA_ABSENT')), { timeout: 5_000 })
    await vi.waitFor(() => expect(get(drawn)).rejects.toThrow(refused('CUCKOO_API_MEDIA_ABSENT')), { timeout: 5_000 })
  })

  test('a running task keeps its medium and its output, whatever the sweep does meanwhile', async () => {
    const rig = await createCoordinatorRig({ config: { ...patient, leaseMs: 20 * day, maxTaskMs: 30 * day } })
    const miner = await rig.openMiner(1, { models })
    await rig.app.createTask(classify(toDataUrl(png)))
    const task = await miner.take()
    const gone = await rig.store.putMedia(Buffer.from('of nobody'), { atMs: 1, app: null })
    rig.clock.advance(3 * day)
    await vi.waitFor(async () => expect(await rig.store.getBlob(gone)).toBeNull(), { timeout: 5_000 })
    await vi.waitFor(async () => expect(await rig.store.getContentHorizon()).toBeGreaterThan(Date.now() + day), { timeout: 5_000 })
    expect(Buffer.from(await miner.fetchMedia(task, sha256(png)))).toEqual(Buffer.from(png))
    await miner.submit(task, createSubmission(rig.chain.domainSeparator, miner.signer, task, { labels: [{ label: 'cat', score: 1 }] }))
  })

  test('over the quota of its key are 413 with the figures, by upload and by data: URL; other keys go on', async () => {
    const other = createPng(41, 30)
    const rig = await createCoordinatorRig({ config: { ...patient, appMediaBytes: png.length + other.length - 1 } })
    const miner = await rig.openMiner(1, { models })
    await rig.app.uploadMedia({ body: png })
    await rig.app.uploadMedia({ body: png })
    const taking = miner.take()
    await waitForMetric(rig, 'cuckoo_miners_waiting 1')
    const exceeded = refused('CUCKOO_API_MEDIA_QUOTA_EXCEEDED', {
      httpStatus: 413,
      message: expect.stringContaining(`this key's media take ${png.length} of the ${png.length + other.length - 1} bytes`),
      hint: expect.stringContaining('--app-media'),
    })
    await expect(rig.app.uploadMedia({ body: other })).rejects.toThrow(exceeded)
    await expect(rig.app.createTask(classify(toDataUrl(other)))).rejects.toThrow(exceeded)
    expect(await rig.store.getBlob(sha256(other))).toBeNull()
    // Nobody was drawn for it: the miner still waits, for a task that may be made.
    expect(await rig.store.getDrawLog()).toMatchObject({ index: 0n })
    expect((await rig.store.listTasks({ limit: 10 })).length).toBe(0)
    await rig.app.createTask(classify({ sha256: sha256(png) }))
    await taking
    await (await rig.createAppClient('other')).uploadMedia({ body: other })
    await waitForMetric(rig, `cuckoo_store_media_bytes ${png.length + other.length}`)
    rig.clock.advance(2 * hour)
    // The other key's upload, which no task names, has gone.
    await waitForMetric(rig, `cuckoo_store_media_bytes ${png.length}`)
    await expect(rig.app.uploadMedia({ body: other })).rejects.toThrow(exceeded)
  })

  test('are 507 where they would take the room for results, and tasks of text go on', async () => {
    const { freeBytes } = await (await createCoordinatorRig()).store.getSpace()
    const rig = await createCoordinatorRig({ config: { ...patient, minFreeBytes: 2 * freeBytes } })
    const miner = await rig.openMiner(1, { models: [...models, { manifest: createLetterManifest() }] })
    const low = refused('CUCKOO_API_STORAGE_LOW', { httpStatus: 507, hint: expect.stringContaining('--min-free') })
    await expect(rig.app.uploadMedia({ body: png })).rejects.toThrow(low)
    await expect(rig.app.createTask(classify(toDataUrl(png)))).rejects.toThrow(low)
    expect(await rig.store.getBlob(sha256(png))).toBeNull()
    const { task } = await rig.app.createTask({ body: ask('a') })
    await miner.answer('ok')
    expect(await rig.app.getTask({ params: { id: task?.id as `0x${string}` }, query: { waitMs: 2_000 } })).toMatchObject({ text: 'ok' })
  })
})
