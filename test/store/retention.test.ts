import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test } from 'vitest'
import { encodeCanonical, sha256 } from '../../src/domain/canonical.ts'
import type { Hash } from '../../src/domain/hex.ts'
import type { Manifest } from '../../src/domain/manifest.ts'
import type { CoordinatorStore, NewTask, TaskRecord } from '../../src/domain/storePorts.ts'
import { openCoordinatorStore } from '../../src/store/coordinatorStore.ts'
import { coordinatorSchema } from '../../src/store/schema.ts'
import { createNewTask, toDraw, toNumberedHash, toTestReceipt } from '../support/storeFixtures.ts'
import { addCleanUp, createStoreDirectory, endStoresAfterEach, openTestStore } from '../support/testStores.ts'

endStoresAfterEach()

const hour = 3_600_000
const day = 24 * hour
/** Long enough after a day that no slack matters. */
const nextDay = 2 * day
const miner = `0x${'1'.padStart(40, '0')}` as const

/** A task with a content of its own: `text` is its input, and `params` its parameters. */
function createTextTask(number: number, createdAtMs: number, { text = `text ${number}`, params = 'shared' } = {}): NewTask {
  const [input, parameters] = [encodeCanonical({ prompt: text }), encodeCanonical({ params })]
  return createNewTask(number, { createdAtMs, inputHash: input.hash, paramsHash: parameters.hash, blobs: [input, parameters] })
}

/** A task whose input names the medium `data`, which comes with it when `quotaBytes` is given. */
function createMediaTask(number: number, createdAtMs: number, data: Uint8Array, more: { quotaBytes?: number; appId?: string } = {}): NewTask {
  const medium = { sha256: sha256(data), bytes: data.length, type: 'image/png', width: 1, height: 1 }
  const input = encodeCanonical({ media: medium })
  const fresh = more.quotaBytes === undefined ? [] : [{ hash: medium.sha256, bytes: data, quotaBytes: more.quotaBytes }]
  return createNewTask(number, { kind: 'depth-estimation', createdAtMs, inputHash: input.hash, blobs: [input, ...fresh], appId: more.appId ?? 'app' })
}

let draws = 0n
afterEach(() => {
  draws = 0n
})

/** Creates the task and answers it at `atMs` with `output`. */
async function complete(store: CoordinatorStore, task: NewTask, atMs: number, output: string): Promise<TaskRecord> {
  await store.createTask(task)
  return answer(store, task, atMs, output)
}

async function answer(store: CoordinatorStore, { id }: NewTask, atMs: number, output: string): Promise<TaskRecord> {
  const signed = { assignmentDigest: id, signedAssignment: Buffer.from('signed'), leaseUntilMs: atMs }
  await store.assignTask({ id, attempt: 1, miner, ...signed, draw: toDraw(draws++, id) })
  const bytes = Buffer.from(output)
  return (await store.completeTask({
    id,
    attempt: 1,
    outputHash: sha256(bytes),
    output: bytes,
    receipt: toTestReceipt(id),
    finishedAtMs: atMs,
  })) as TaskRecord
}

/** What a whole sweep deletes. */
async function sweep(store: CoordinatorStore, neededBeforeMs: number, by: 'upload' | 'task' = 'task'): Promise<{ blobs: number; bytes: number }> {
  await store.nameOpenTasks({ createdBeforeMs: neededBeforeMs, atMs: neededBeforeMs + day, after: null, limit: 1_000 })
  return store.deleteBlobs({ by, neededBeforeMs, limit: 1_000, limitBytes: 2 ** 30 })
}

const has = async (store: CoordinatorStore, hash: Hash | null) => (await store.getBlob(hash as Hash)) !== null
const hasAll = async (store: CoordinatorStore, { inputHash, paramsHash, outputHash }: TaskRecord) =>
  Promise.all([inputHash, paramsHash, outputHash].map((hash) => has(store, hash)))

describe('contents', () => {
  test('go after their time, and the row, its hashes, the receipt and what is owed stay', async () => {
    const store = await openTestStore()
    const done = await complete(store, createTextTask(1, day), day + 5_000, 'answer')
    const owedWei = await store.getOwed(miner)
    expect(await sweep(store, day)).toEqual({ blobs: 0, bytes: 0 })
    expect(await hasAll(store, done)).toEqual([true, true, true])
    const contents = ['{"prompt":"text 1"}', '{"params":"shared"}', 'answer']
    expect(await sweep(store, nextDay)).toEqual({ blobs: 3, bytes: contents.join('').length })
    expect(await hasAll(store, done)).toEqual([false, false, false])
    expect(await store.getTask(done.id)).toEqual(done)
    expect(Buffer.from((await store.getSignedAssignment(done.id, 1)) ?? []).toString()).toBe('signed')
    expect(owedWei).toBeGreaterThan(0n)
    expect(await store.getOwed(miner)).toBe(owedWei)
  })

  test('that a younger task has too stay: parameters, the same question, the same answer', async () => {
    const store = await openTestStore()
    const old = await complete(store, createTextTask(1, 1), 2, 'the same answer')
    const other = await complete(store, createTextTask(2, 1, { text: 'the same question' }), 2, 'an answer')
    await complete(store, createTextTask(3, nextDay, { text: 'the same question' }), nextDay, 'the same answer')
    await sweep(store, day)
    expect(await hasAll(store, old)).toEqual([false, true, true])
    expect(await hasAll(store, other)).toEqual([true, true, false])
  })

  test('of an open task stay, however old it is, with its medium', async () => {
    const store = await openTestStore()
    const medium = Buffer.from('a medium')
    const [text, media] = [createTextTask(1, 1), createMediaTask(2, 1, medium, { quotaBytes: 100 })]
    await store.createTask(text)
    await store.createTask(media)
    const ended = createTextTask(3, 1, { params: 'own' })
    await store.createTask(ended)
    await store.cancelTask({ id: ended.id, atMs: 2 })
    await sweep(store, 10 * day)
    for (const hash of [text.inputHash, text.paramsHash, media.inputHash, sha256(medium)]) expect(await has(store, hash)).toBe(true)
    for (const hash of [ended.inputHash, ended.paramsHash]) expect(await has(store, hash)).toBe(false)
  })

  test('count from the end of a task that waited for long, also when it failed or was cancelled', async () => {
    const store = await openTestStore()
    const tasks = [1, 2, 3].map((number) => createTextTask(number, 1, { params: `of ${number}` }))
    const [done, dead, cancelled] = tasks as [NewTask, NewTask, NewTask]
    for (const task of tasks) await store.createTask(task)
    await answer(store, done, 3 * day, 'late')
    const { id } = dead
    await store.assignTask({ id, attempt: 1, miner, leaseUntilMs: 1, assignmentDigest: id, signedAssignment: Buffer.alloc(1), draw: toDraw(draws++, id) })
    const failure = { attempt: 1, miner, code: 'CUCKOO_TEST', message: 'it failed', at: 1 }
    await store.endAttempt({ id, attempt: 1, next: 'dead', failure, atMs: 3 * day })
    await store.cancelTask({ id: cancelled.id, atMs: 3 * day })
    await sweep(store, 2 * day)
    for (const { inputHash, paramsHash } of tasks) expect([await has(store, inputHash), await has(store, paramsHash)]).toEqual([true, true])
    await sweep(store, 4 * day)
    for (const { inputHash, paramsHash } of tasks) expect([await has(store, inputHash), await has(store, paramsHash)]).toEqual([false, false])
  })

  test('what a model needs stays for ever, also where a task or an upload brought the same bytes first', async () => {
    const store = await openTestStore()
    const [tokenizer, named, stray] = ['tokenizer', 'named by a manifest', 'stray'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]
    const naming = { atMs: 1, app: { id: 'app', quotaBytes: 100 } }
    await store.putMedia(tokenizer, naming)
    await store.putBlob(tokenizer)
    await store.putMedia(tokenizer, naming)
    await store.putMedia(named, naming)
    await store.putMedia(stray, naming)
    await store.putManifest({ model: 'a/b', files: [{ path: 'x', bytes: 1, sha256: sha256(named) }] } as Partial<Manifest> as Manifest, toNumberedHash(9), 1)
    expect((await sweep(store, 100 * day, 'upload')).blobs).toBe(1)
    expect((await sweep(store, 100 * day)).blobs).toBe(0)
    expect(await Promise.all([tokenizer, named, stray].map((bytes) => has(store, sha256(bytes))))).toEqual([true, true, false])
  })

  test('the horizon never goes back, and outlives a restart', async () => {
    const directory = createStoreDirectory()
    const store = await openTestStore(directory)
    expect(await store.getContentHorizon()).toBe(0)
    await store.raiseContentHorizon(9_999)
    await store.raiseContentHorizon(10_000)
    await store.raiseContentHorizon(7)
    await store.close()
    expect(await (await openTestStore(directory)).getContentHorizon()).toBe(10_000)
  })

  test('are deleted in the portions that are asked for, by number and by bytes', async () => {
    const store = await openTestStore()
    for (let number = 1; number <= 6; number++) await store.createTask(createTextTask(number, number))
    for (let number = 1; number <= 6; number++) await store.cancelTask({ id: toNumberedHash(number), atMs: 10 })
    const one = '{"prompt":"text 1"}'.length
    const portion = { by: 'task', neededBeforeMs: day } as const
    expect(await store.deleteBlobs({ ...portion, limit: 2, limitBytes: 1_000 })).toMatchObject({ blobs: 2 })
    expect(await store.deleteBlobs({ ...portion, limit: 100, limitBytes: one + 1 })).toEqual({ blobs: 2, bytes: 2 * one })
    expect(await store.deleteBlobs({ ...portion, limit: 100, limitBytes: 1_000 })).toMatchObject({ blobs: 3 })
    expect(await store.deleteBlobs({ ...portion, limit: 100, limitBytes: 1_000 })).toEqual({ blobs: 0, bytes: 0 })
  })

  test('open tasks are gone through in portions, each once', async () => {
    const store = await openTestStore()
    const tasks = Array.from({ length: 7 }, (_, index) => createTextTask(index + 1, 5 + (index % 2), { params: `of ${index}` }))
    for (const task of tasks) await store.createTask(task)
    let after = null
    let portions = 0
    do {
      after = await store.nameOpenTasks({ createdBeforeMs: day, atMs: nextDay, after, limit: 3 })
      portions++
    } while (after !== null)
    expect(portions).toBe(4)
    await store.deleteBlobs({ by: 'task', neededBeforeMs: day, limit: 100, limitBytes: 10_000 })
    for (const { inputHash } of tasks) expect(await has(store, inputHash)).toBe(true)
  })
})

describe('media of apps', () => {
  const app = { id: 'app', quotaBytes: 100 }
  const medium = Buffer.alloc(60, 1)

  test('that no task names go by their own time; one that a task named stays with it', async () => {
    const store = await openTestStore()
    const named = Buffer.alloc(30, 2)
    await store.putMedia(medium, { atMs: hour, app })
    await store.putMedia(named, { atMs: hour, app })
    await store.createTask(createMediaTask(1, hour, named))
    await store.cancelTask({ id: toNumberedHash(1), atMs: hour })
    expect(await sweep(store, 3 * hour, 'upload')).toEqual({ blobs: 1, bytes: 60 })
    expect([await has(store, sha256(medium)), await has(store, sha256(named))]).toEqual([false, true])
    await sweep(store, nextDay)
    expect(await has(store, sha256(named))).toBe(false)
  })

  test('an output names the media that were handed in for it', async () => {
    const store = await openTestStore()
    const hash = await store.putMedia(medium, { atMs: 1, app: null })
    const task = createMediaTask(1, 1, Buffer.from('input'), { quotaBytes: 100 })
    await complete(store, task, 2, JSON.stringify({ image: { sha256: hash, bytes: 60, type: 'image/png', width: 1, height: 1 } }))
    expect((await sweep(store, nextDay, 'upload')).blobs).toBe(0)
    expect(await has(store, hash)).toBe(true)
    await sweep(store, nextDay)
    expect(await has(store, hash)).toBe(false)
  })

  test('count against the quota once for each app that brought them, and no longer when they are gone', async () => {
    const store = await openTestStore()
    const other = Buffer.alloc(50, 3)
    await store.putMedia(medium, { atMs: 1, app })
    await store.putMedia(medium, { atMs: 1, app })
    await expect(store.putMedia(other, { atMs: 1, app })).rejects.toMatchObject({
      code: 'CUCKOO_API_MEDIA_QUOTA_EXCEEDED',
      httpStatus: 413,
      facts: { bytes: 50, usedBytes: 60, quotaBytes: 100 },
    })
    expect(await has(store, sha256(other))).toBe(false)
    await store.putMedia(other, { atMs: 1, app: { id: 'other', quotaBytes: 50 } })
    expect((await store.getSpace()).mediaBytes).toBe(110)
    expect(await sweep(store, nextDay, 'upload')).toEqual({ blobs: 2, bytes: 110 })
    expect((await store.getSpace()).mediaBytes).toBe(0)
    await store.putMedia(other, { atMs: nextDay, app })
  })

  test('a task that brings more than its app may keep is refused, its neighbours in the batch are not', async () => {
    const store = await openTestStore()
    const [over, fine] = await Promise.allSettled([
      store.createTask(createMediaTask(1, 1, medium, { quotaBytes: 59 })),
      store.createTask(createMediaTask(2, 1, medium, { quotaBytes: 60, appId: 'other' })),
    ])
    expect(over).toMatchObject({ status: 'rejected', reason: { code: 'CUCKOO_API_MEDIA_QUOTA_EXCEEDED' } })
    expect(fine).toMatchObject({ status: 'fulfilled', value: { created: true } })
    expect(await store.getTask(toNumberedHash(1))).toBeNull()
  })

  test('a task whose medium was deleted while it was made is refused', async () => {
    const store = await openTestStore()
    await expect(store.createTask(createMediaTask(1, 1, medium))).rejects.toMatchObject({ code: 'CUCKOO_API_MEDIA_ABSENT', httpStatus: 404 })
    expect(await store.getTask(toNumberedHash(1))).toBeNull()
  })
})

test('deleted blobs are room for others: the space that is left counts them', async () => {
  const maxBytes = 4_000_000
  const store = await openTestStore(createStoreDirectory(), { maxBytes })
  const empty = await store.getSpace()
  expect(empty.usedBytes + empty.freeBytes).toBeLessThanOrEqual(maxBytes)
  expect(empty.freeBytes).toBeGreaterThan(3_000_000)
  const naming = { atMs: 1, app: null }
  await store.putMedia(Buffer.alloc(3_000_000, 1), naming)
  expect((await store.getSpace()).freeBytes).toBeLessThan(empty.freeBytes - 3_000_000)
  await expect(store.putMedia(Buffer.alloc(3_000_000, 2), naming)).rejects.toMatchObject({ code: 'CUCKOO_STORE_FULL' })
  await sweep(store, nextDay, 'upload')
  expect((await store.getSpace()).freeBytes).toBeGreaterThan(empty.freeBytes - 100_000)
  await store.putMedia(Buffer.alloc(3_000_000, 2), naming)
})

test('a store of the version before opens with all it has; its blobs count from then, and tokenizers stay', async () => {
  const directory = createStoreDirectory()
  const [tokenizer, input] = [Buffer.from('tokenizer'), Buffer.from('{"prompt":"old"}')]
  const before = new DatabaseSync(join(directory, coordinatorSchema.fileName))
  for (const migration of coordinatorSchema.migrations.slice(0, 2)) before.exec(migration)
  before.exec(`PRAGMA application_id = ${coordinatorSchema.applicationId}; PRAGMA user_version = 2`)
  const insert = before.prepare('INSERT INTO blobs (hash, bytes) VALUES (?, ?)')
  for (const bytes of [tokenizer, input]) insert.run(sha256(bytes), bytes)
  const manifest = { model: 'a/b', files: [{ path: 'tokenizer.json', bytes: tokenizer.length, sha256: sha256(tokenizer) }] }
  before.prepare('INSERT INTO manifests (digest, body, first_seen_at_ms) VALUES (?, ?, 1)').run(toNumberedHash(1), JSON.stringify(manifest))
  before.close()

  const openedAtMs = Date.now()
  const store = await openTestStore(directory)
  for (const bytes of [tokenizer, input]) expect(Buffer.from((await store.getBlob(sha256(bytes))) ?? [])).toEqual(bytes)
  expect((await store.listManifests()).length).toBe(1)
  expect(await sweep(store, openedAtMs - hour)).toEqual({ blobs: 0, bytes: 0 })
  expect(await sweep(store, openedAtMs + hour)).toEqual({ blobs: 1, bytes: input.length })
  expect(await Promise.all([tokenizer, input].map((bytes) => has(store, sha256(bytes))))).toEqual([true, false])
})

test('SIGKILL in the middle of a sweep: what is missing is behind the horizon, what is needed is there, and the next sweep ends it', async () => {
  const directory = createStoreDirectory()
  const store = await openTestStore(directory)
  // More than the sweeper deletes while a signal is on its way, four times.
  const old = Array.from({ length: 1_500 }, (_, index) => createTextTask(index + 1, 1, { params: `of ${index % 5}` }))
  const young = Array.from({ length: 5 }, (_, index) => createTextTask(5_000 + index, nextDay, { params: `of ${index}` }))
  await Promise.all([...old, ...young].map((task) => store.createTask(task)))
  await Promise.all(old.map(({ id }) => store.cancelTask({ id, atMs: 2 })))
  await store.close()
  const script = new URL('../support/storeSweeper.ts', import.meta.url).pathname
  for (const lines of [1, 2, 3, 7]) {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, directory, String(day)], { stdio: ['ignore', 'pipe', 'inherit'] })
    addCleanUp(() => child.kill('SIGKILL'))
    const exited = new Promise((resolve) => child.once('exit', resolve))
    let seen = 0
    for await (const _ of createInterface({ input: child.stdout })) if (++seen === lines) child.kill('SIGKILL')
    await exited
    const after = await openCoordinatorStore({ directory })
    const missing = []
    for (const { inputHash } of old) if (!(await has(after, inputHash))) missing.push(inputHash)
    if (missing.length > 0) expect(await after.getContentHorizon()).toBe(day)
    for (const { inputHash, paramsHash } of young) expect([await has(after, inputHash), await has(after, paramsHash)]).toEqual([true, true])
    if (lines === 7) expect([missing.length > 0, missing.length < old.length]).toEqual([true, true])
    await after.close()
  }
  const last = await openTestStore(directory)
  while ((await sweep(last, day)).blobs > 0);
  for (const { inputHash, id } of old) expect([await has(last, inputHash), (await last.getTask(id))?.state]).toEqual([false, 'cancelled'])
})
