import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../src/domain/canonical.ts'
import { type Hash, zeroHash } from '../../src/domain/hex.ts'
import type { Receipt } from '../../src/domain/receipt.ts'
import type { CoordinatorStore, DrawRecord, NewTask } from '../../src/domain/storePorts.ts'
import { openAppStore } from '../../src/store/appStore.ts'
import { listCommits } from '../support/commits.ts'
import { createNewTask, toDraw, toNumberedHash, toTestReceipt } from '../support/storeFixtures.ts'
import { addCleanUp, createStoreDirectory, endStoresAfterEach, openTestStore } from '../support/testStores.ts'

endStoresAfterEach()

const miner = `0x${'1'.padStart(40, '0')}` as const
const assign = (store: CoordinatorStore, task: NewTask, attempt: number, draw: DrawRecord, digest = toNumberedHash(1000 + Number(draw.index))) =>
  store.assignTask({ id: task.id, attempt, miner, leaseUntilMs: 5_000, assignmentDigest: digest, signedAssignment: Buffer.from(`signed ${attempt}`), draw })

describe('tasks', () => {
  test('a task comes back as it went in, to the last bit of a uint64 and a uint128', async () => {
    const store = await openTestStore()
    const { blobs, ...task } = createNewTask(1, { seed: 2n ** 64n - 1n, maxPriceWei: 2n ** 128n - 1n, idempotencyKey: 'key', targetMiner: miner })
    const { task: created, created: isNew } = await store.createTask({ ...task, blobs })
    expect(isNew).toBe(true)
    expect(created).toEqual({
      ...task,
      state: 'queued',
      attempt: 0,
      miner: null,
      leaseUntilMs: null,
      failures: [],
      outputHash: null,
      receipt: null,
      finishedAtMs: null,
    })
    expect(await store.getTask(task.id)).toEqual(created)
    expect(await store.getTask(zeroHash)).toBeNull()
    for (const { hash, bytes } of blobs) expect(await store.getBlob(hash)).toEqual(new Uint8Array(bytes))
  })

  test('its life: assigned, running, done; its receipt survives to the wei', async () => {
    const store = await openTestStore()
    const task = createNewTask(1)
    await store.createTask(task)
    expect(await assign(store, task, 1, toDraw(0n, task.id))).toMatchObject({ state: 'assigned', attempt: 1, miner, leaseUntilMs: 5_000 })
    expect(await store.renewLease({ id: task.id, attempt: 1, leaseUntilMs: 9_000 })).toMatchObject({ state: 'running', leaseUntilMs: 9_000 })
    const receipt: Receipt = toTestReceipt(task.id)
    const output = Buffer.from('{"tokenIds":[1],"finishReason":"stop"}')
    const done = await store.completeTask({ id: task.id, attempt: 1, outputHash: sha256(output), output, receipt, finishedAtMs: 7_000 })
    expect(done).toMatchObject({ state: 'done', leaseUntilMs: null, miner, finishedAtMs: 7_000, outputHash: sha256(output) })
    expect(done?.receipt).toEqual(receipt)
    expect(Buffer.from((await store.getBlob(sha256(output))) as Uint8Array)).toEqual(output)
  })

  test('a medium of an app is flushed, one of a result with the result; what comes with a result that is too late is not kept', async () => {
    const store = await openTestStore()
    const task = createNewTask(1)
    await store.createTask(task)
    await assign(store, task, 1, toDraw(0n, task.id))
    const [output, bytes] = [Buffer.from('{"tokenIds":[1],"finishReason":"stop"}'), Buffer.from('a medium')]
    const media = [{ hash: sha256(bytes), bytes }]
    const complete = (attempt: number) =>
      store.completeTask({ id: task.id, attempt, outputHash: sha256(output), output, media, receipt: toTestReceipt(task.id), finishedAtMs: 1 })
    expect(await listCommits(() => store.putMedia(Buffer.from('an upload'), { atMs: 1, app: { id: 'app', quotaBytes: 100 } }))).toEqual(['FULL'])
    expect(await listCommits(() => store.putMedia(Buffer.from('handed in'), { atMs: 1, app: null }))).toEqual(['NORMAL'])
    expect(await complete(2)).toBeNull()
    expect(await store.getBlob(sha256(bytes))).toBeNull()
    expect(await listCommits(() => complete(1))).toEqual(['FULL'])
    expect(Buffer.from((await store.getBlob(sha256(bytes))) as Uint8Array)).toEqual(bytes)
  })

  test('every change is a compare-and-set: who comes second changes nothing', async () => {
    const store = await openTestStore()
    const task = createNewTask(1)
    await store.createTask(task)
    const [first, second] = await Promise.all([assign(store, task, 1, toDraw(0n, task.id)), assign(store, task, 1, toDraw(1n, task.id))])
    expect([first?.state, second]).toEqual(['assigned', null])
    const failure = { attempt: 1, miner, code: 'CUCKOO_TEST', message: 'it failed', at: 1 }
    const receipt = toTestReceipt(task.id)
    const output = Buffer.from('{}')
    const complete = (attempt: number) => store.completeTask({ id: task.id, attempt, outputHash: sha256(output), output, receipt, finishedAtMs: 1 })
    expect(await store.renewLease({ id: task.id, attempt: 2, leaseUntilMs: 1 })).toBeNull()
    expect(await complete(2)).toBeNull()
    expect(await store.getBlob(sha256(output))).toBeNull()
    expect(await store.endAttempt({ id: task.id, attempt: 1, next: 'queued', failure, atMs: 2 })).toMatchObject({
      state: 'queued',
      attempt: 1,
      miner: null,
      failures: [failure],
      finishedAtMs: null,
    })
    expect(await complete(1)).toBeNull()
    expect(await assign(store, task, 1, toDraw(2n, task.id))).toBeNull()
    expect(await assign(store, task, 2, toDraw(3n, task.id))).toMatchObject({ attempt: 2 })
    expect(await complete(2)).toMatchObject({ state: 'done' })
    expect(await complete(2)).toBeNull()
    expect(await store.cancelTask({ id: task.id, atMs: 1 })).toBeNull()
    expect(await store.endAttempt({ id: task.id, attempt: 2, next: 'dead', failure, atMs: 2 })).toBeNull()
  })

  test('one idempotency key of one app makes one task, also when both come in one batch', async () => {
    const store = await openTestStore()
    const answers = await Promise.all(
      [1, 2, 3].map((number) => store.createTask(createNewTask(number, { idempotencyKey: 'same', appId: number === 3 ? 'other' : 'app' }))),
    )
    expect(answers.map(({ task, created }) => [task.id, created])).toEqual([
      [toNumberedHash(1), true],
      [toNumberedHash(1), false],
      [toNumberedHash(3), true],
    ])
    expect((await store.findTaskByIdempotencyKey('other', 'same'))?.id).toBe(toNumberedHash(3))
    expect(await store.findTaskByIdempotencyKey('nobody', 'same')).toBeNull()
  })

  test('lists: open ones oldest first, by app and state newest first; counts by state', async () => {
    const store = await openTestStore()
    for (const number of [1, 2, 3]) await store.createTask(createNewTask(number, { createdAtMs: number, appId: number === 2 ? 'b' : 'a' }))
    await store.cancelTask({ id: toNumberedHash(1), atMs: 4 })
    expect((await store.listOpenTasks()).map((task) => task.id)).toEqual([toNumberedHash(2), toNumberedHash(3)])
    expect((await store.listTasks({ appId: 'a', limit: 10 })).map((task) => task.id)).toEqual([toNumberedHash(3), toNumberedHash(1)])
    expect((await store.listTasks({ state: 'cancelled', limit: 10 })).map((task) => task.id)).toEqual([toNumberedHash(1)])
    expect(await store.countTasksByState()).toEqual({ queued: 2, assigned: 0, running: 0, done: 0, failed: 0, dead: 0, cancelled: 1 })
  })
})

describe('the signature journal', () => {
  test('holds what was signed for each attempt, once, and forgets nothing', async () => {
    const directory = createStoreDirectory()
    const store = await openTestStore(directory)
    const task = createNewTask(1)
    await store.createTask(task)
    await assign(store, task, 1, toDraw(0n, task.id))
    expect(Buffer.from((await store.getSignedAssignment(task.id, 1)) as Uint8Array).toString()).toBe('signed 1')
    expect(await store.getSignedAssignment(task.id, 2)).toBeNull()
    await store.close()
    const file = new DatabaseSync(join(directory, 'coordinator.sqlite'))
    expect(() => file.exec('DELETE FROM signed_assignments')).toThrow('append-only')
    expect(() => file.exec("UPDATE signed_assignments SET body = x'00'")).toThrow('append-only')
    file.close()
  })

  test('a digest that was journalled before is refused, and the batch around it is not', async () => {
    const store = await openTestStore()
    const [one, two, three] = [createNewTask(1), createNewTask(2), createNewTask(3)]
    await Promise.all([one, two, three].map((task) => store.createTask(task)))
    const digest = toNumberedHash(77)
    await assign(store, one, 1, toDraw(0n, one.id), digest)
    const [twice, fine] = await Promise.allSettled([assign(store, two, 1, toDraw(1n, two.id), digest), store.cancelTask({ id: three.id, atMs: 1 })])
    expect(twice.status).toBe('rejected')
    expect(fine).toMatchObject({ status: 'fulfilled', value: { state: 'cancelled' } })
    expect(await store.getTask(two.id)).toMatchObject({ state: 'queued', attempt: 0 })
    expect(await store.getDrawLog()).toMatchObject({ index: 1n })
  })
})

describe('draws', () => {
  test('the log goes on where it ended, in order only', async () => {
    const directory = createStoreDirectory()
    const store = await openTestStore(directory)
    expect(await store.getDrawLog()).toEqual({ head: zeroHash, index: 0n })
    const task = createNewTask(1)
    await store.createTask(task)
    await expect(assign(store, task, 1, toDraw(1n, task.id))).rejects.toMatchObject({ code: 'CUCKOO_STORE_DRAW_LOG_BROKEN' })
    await assign(store, task, 1, toDraw(0n, task.id))
    await store.close()
    const again = await openTestStore(directory)
    expect(await again.getDrawLog()).toEqual({ head: toDraw(0n, task.id).head, index: 1n })
  })

  test('the secret of an epoch is the first one that was kept', async () => {
    const store = await openTestStore()
    const epoch = { epoch: 7, secret: toNumberedHash(1), commitment: toNumberedHash(2) }
    expect(await store.openDrawEpoch(epoch)).toEqual(epoch)
    expect(await store.openDrawEpoch({ ...epoch, secret: toNumberedHash(9) })).toEqual(epoch)
  })
})

describe('what else is kept', () => {
  test('blobs once under their hash, manifests in the order of first sight', async () => {
    const store = await openTestStore()
    const bytes = Buffer.from('tokenizer')
    expect(await store.putBlob(bytes)).toBe(sha256(bytes))
    expect(await store.putBlob(bytes)).toBe(sha256(bytes))
    const manifest = { model: 'a/b', files: [] } as never
    await store.putManifest(manifest, toNumberedHash(2), 20)
    await store.putManifest(manifest, toNumberedHash(1), 10)
    await store.putManifest(manifest, toNumberedHash(2), 5)
    expect((await store.listManifests()).map(({ digest, firstSeenAtMs }) => [digest, firstSeenAtMs])).toEqual([
      [toNumberedHash(1), 10],
      [toNumberedHash(2), 20],
    ])
  })

  test('the incarnation rises with each opening by a coordinator, and with no other', async () => {
    const directory = createStoreDirectory()
    for (const incarnation of [1, 2]) {
      const store = await openTestStore(directory)
      expect(store.incarnation).toBe(incarnation)
      await (await openAppStore({ directory })).close()
      await store.close()
    }
    expect((await openTestStore(directory)).incarnation).toBe(3)
  })

  test('an app store beside a serving coordinator: each sees the other at once, and neither fails under writes', async () => {
    const directory = createStoreDirectory()
    const apps = await openAppStore({ directory })
    addCleanUp(() => apps.close())
    const store = await openTestStore(directory)
    const toApp = (number: number) => ({
      id: `app_${number}`,
      name: 'n',
      keyHash: toNumberedHash(number),
      keyPrefix: 'cuckoo_',
      createdAt: number,
      revokedAt: null,
    })
    await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? apps.createApp(toApp(index)) : store.createTask(createNewTask(index)))))
    expect((await store.findAppByKeyHash(toNumberedHash(2)))?.id).toBe('app_2')
    await apps.revokeApp('app_2', 99)
    expect((await store.findAppByKeyHash(toNumberedHash(2)))?.revokedAt).toBe(99)
    expect(await apps.revokeApp('app_2', 100)).toMatchObject({ revokedAt: 99 })
    expect(await apps.revokeApp('nobody', 1)).toBeNull()
    expect((await store.listApps()).length).toBe(20)
    await expect(apps.createApp(toApp(2))).rejects.toMatchObject({ code: 'CUCKOO_STORE_WRITE_FAILED' })
  })

  test('files are for this user only', async () => {
    const directory = join(createStoreDirectory(), 'made')
    await openTestStore(directory)
    expect(existsSync(join(directory, 'coordinator.sqlite'))).toBe(true)
    if (process.platform !== 'win32')
      expect([statSync(directory).mode & 0o777, statSync(join(directory, 'coordinator.sqlite')).mode & 0o777]).toEqual([0o700, 0o600])
  })
})

describe('group commit', () => {
  test('a thousand writes at once take a few transactions, and every one is there', async () => {
    const directory = createStoreDirectory()
    const store = await openTestStore(directory)
    const reader = new DatabaseSync(join(directory, 'coordinator.sqlite'))
    addCleanUp(() => reader.close())
    const counts = new Set<number>()
    const count = reader.prepare('SELECT count(*) AS count FROM tasks')
    await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => {
        await store.createTask(createNewTask(index + 1))
        counts.add((count.get() as { count: number }).count)
      }),
    )
    expect([...counts]).toEqual([512, 1000])
  })

  test('what is acknowledged can be read by another connection at that moment', async () => {
    const directory = createStoreDirectory()
    const store = await openTestStore(directory)
    const reader = new DatabaseSync(join(directory, 'coordinator.sqlite'))
    addCleanUp(() => reader.close())
    const writing = store.createTask(createNewTask(1))
    expect(reader.prepare('SELECT id FROM tasks').all()).toEqual([])
    await writing
    expect(reader.prepare('SELECT id FROM tasks').all()).toMatchObject([{ id: toNumberedHash(1) }])
  })

  test('after close nothing is taken, and what was asked before is on disk', async () => {
    const directory = createStoreDirectory()
    const store = await openTestStore(directory)
    const writing = store.createTask(createNewTask(1))
    await store.close()
    await writing
    await expect(store.createTask(createNewTask(2))).rejects.toMatchObject({ code: 'CUCKOO_STORE_CLOSED', httpStatus: 503 })
    expect((await (await openTestStore(directory)).listOpenTasks()).length).toBe(1)
  })
})

describe('a full disk (fault 22)', () => {
  test('refuses the batch with 503 and goes on when there is room again', async () => {
    const store = await openTestStore(createStoreDirectory(), { maxBytes: 400_000 })
    await store.createTask(createNewTask(1))
    const tooLarge = Buffer.alloc(600_000, 1)
    const [blob, neighbour] = await Promise.allSettled([store.putBlob(tooLarge), store.createTask(createNewTask(2))])
    for (const outcome of [blob, neighbour])
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CUCKOO_STORE_FULL', httpStatus: 503, kind: 'unavailable' } })
    expect(await store.getTask(toNumberedHash(2))).toBeNull()
    expect(await store.createTask(createNewTask(2))).toMatchObject({ created: true })
    expect(await store.getBlob(sha256(tooLarge) as Hash)).toBeNull()
  })
})
