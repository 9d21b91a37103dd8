import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAppStore } from '../../src/store/appStore.ts'
import { openCoordinatorStore } from '../../src/store/coordinatorStore.ts'
import { openMinerStore } from '../../src/store/minerStore.ts'
import { createNewTask, toNumberedHash } from '../support/storeFixtures.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-files-'))
  path = join(directory, 'coordinator.sqlite')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const openers = [openCoordinatorStore, openAppStore]

test('a file that is no database is refused, and stays as it is', async () => {
  const text = 'this is not a database, and somebody may want it back. '.repeat(100)
  writeFileSync(path, text)
  for (const open of openers)
    await expect(open({ directory })).rejects.toMatchObject({ code: 'CUCKOO_STORE_DAMAGED', kind: 'config', message: expect.stringContaining(path) })
  expect(readFileSync(path, 'utf8')).toBe(text)
})

test('damage inside is told by its code when it is met', async () => {
  const store = await openCoordinatorStore({ directory })
  for (let number = 1; number <= 200; number++) void store.createTask(createNewTask(number))
  await store.close()
  const bytes = readFileSync(path)
  // All pages but the schema's, so that the file opens and its tables do not read.
  bytes.fill(0xff, 4096 * 16)
  writeFileSync(path, bytes)
  const meet = async () => {
    const damaged = await openCoordinatorStore({ directory })
    try {
      await damaged.listOpenTasks()
      for (let number = 1; number <= 200; number++) await damaged.getTask(toNumberedHash(number))
    } finally {
      await damaged.close()
    }
  }
  await expect(meet()).rejects.toMatchObject({ code: 'CUCKOO_STORE_DAMAGED' })
})

test('a file of a newer cuckoo is refused untouched', async () => {
  await (await openCoordinatorStore({ directory })).close()
  const database = new DatabaseSync(path)
  database.exec('PRAGMA user_version = 99')
  database.close()
  for (const open of openers)
    await expect(open({ directory })).rejects.toMatchObject({ code: 'CUCKOO_STORE_TOO_NEW', message: expect.stringContaining('version 99') })
})

test("somebody else's database is refused untouched", async () => {
  const database = new DatabaseSync(path)
  database.exec('CREATE TABLE theirs (a)')
  database.close()
  await expect(openCoordinatorStore({ directory })).rejects.toMatchObject({ code: 'CUCKOO_STORE_FOREIGN' })
  const again = new DatabaseSync(path)
  expect(again.prepare('SELECT name FROM sqlite_master').all()).toMatchObject([{ name: 'theirs' }])
  again.close()
})

test('a directory that cannot be made is told by its code', async () => {
  writeFileSync(join(directory, 'file'), '')
  await expect(openCoordinatorStore({ directory: join(directory, 'file', 'below') })).rejects.toMatchObject({ code: 'CUCKOO_STORE_WRITE_FAILED' })
})

test('two processes that make the store at the same moment make one', async () => {
  const apps = await Promise.all([openAppStore({ directory }), openAppStore({ directory }), openAppStore({ directory })])
  await Promise.all(
    apps.map((store, index) =>
      store.createApp({ id: `app_${index}`, name: 'n', keyHash: toNumberedHash(index), keyPrefix: 'c', createdAt: index, revokedAt: null }),
    ),
  )
  expect((await apps[0]?.listApps())?.length).toBe(3)
  for (const store of apps) await store.close()
})

test('the miner journals one body per assignment, and hands back the first one', async () => {
  const store = await openMinerStore({ directory })
  const coordinator = `0x${'2'.padStart(40, '0')}` as const
  const id = { assignmentDigest: toNumberedHash(1), taskId: toNumberedHash(2), attempt: 1 }
  const entry = { ...id, coordinator, priceWei: 5n, deadline: 1n, body: Buffer.from('first') }
  expect(await store.journalResult(entry)).toMatchObject({ created: true, entry: { deliveredAtMs: null } })
  const second = await store.journalResult({ ...entry, body: Buffer.from('second') })
  expect([second.created, Buffer.from(second.entry.body).toString()]).toEqual([false, 'first'])
  expect((await store.listUndelivered(coordinator)).length).toBe(1)
  await store.markDelivered(entry.assignmentDigest, 5)
  await store.markDelivered(entry.assignmentDigest, 6)
  expect(await store.listUndelivered(coordinator)).toEqual([])
  expect((await store.journalResult(entry)).entry.deliveredAtMs).toBe(5)
  expect(await store.countResults()).toEqual({ signed: 1, delivered: 1 })
  await store.close()
})
