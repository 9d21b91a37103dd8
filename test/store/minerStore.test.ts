import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { sha256 } from '../../src/domain/canonical.ts'
import type { Address } from '../../src/domain/hex.ts'
import type { MinerStore, StartedTask } from '../../src/domain/storePorts.ts'
import { openMinerStore } from '../../src/store/minerStore.ts'
import { minerSchema } from '../../src/store/schema.ts'
import { listCommits } from '../support/commits.ts'
import { toNumberedHash } from '../support/storeFixtures.ts'

const coordinator: Address = `0x${'2'.padStart(40, '0')}`
let directory: string
let store: MinerStore
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-miner-'))
  store = await openMinerStore({ directory })
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

const reopen = async () => {
  await store.close()
  store = await openMinerStore({ directory })
}
const toEntry = (number: number) => ({
  assignmentDigest: toNumberedHash(number),
  taskId: toNumberedHash(1000 + number),
  attempt: 1,
  coordinator,
  priceWei: 5n,
  deadline: 1n,
  body: Buffer.from(`body ${number}`),
})
const toTask = (number: number): StartedTask => ({
  assignmentDigest: toNumberedHash(number),
  taskId: toNumberedHash(1000 + number),
  attempt: 2,
  coordinator,
  model: 'cuckoo/blocks',
  manifest: toNumberedHash(7),
  inputHash: toNumberedHash(8),
})
const listDigests = async (sinceMs = 0) => (await store.takeCrashes(sinceMs)).map(({ assignmentDigest }) => assignmentDigest)

describe('the flush of the disk', () => {
  const untilFlushed = () => new Promise((resolve) => setTimeout(resolve, 20))

  test('is not waited for when a task starts; its mark is flushed right after, and spares the result its own', async () => {
    expect(await listCommits(() => store.markStarted(toTask(1)))).toEqual(['NORMAL'])
    expect(await listCommits(untilFlushed)).toEqual(['FULL'])
    expect(await listCommits(() => store.journalResult(toEntry(1)))).toEqual(['NORMAL'])
    expect(await listCommits(() => store.markDelivered(toNumberedHash(1), 5))).toEqual(['FULL'])
  })

  test('is waited for where the result comes first', async () => {
    const write = async () => {
      await store.markStarted(toTask(1))
      await store.journalResult(toEntry(1))
    }
    expect(await listCommits(write)).toEqual(['NORMAL', 'FULL', 'NORMAL'])
  })

  test('is the result’s own without a mark, with one that is gone, and with one that could not be written', async () => {
    expect(await listCommits(() => store.journalResult(toEntry(1)))).toEqual(['FULL'])
    const clear: [number, () => Promise<void>][] = [
      [2, () => store.clearStarted(toNumberedHash(2))],
      [3, () => store.clearStarted()],
      [4, () => store.markCrashed(9, toNumberedHash(4))],
      [5, () => store.markCrashed(9)],
    ]
    for (const [number, end] of clear) {
      await store.markStarted(toTask(number))
      await end()
      expect((await listCommits(() => store.journalResult(toEntry(number)))).at(-1), `${number}`).toBe('FULL')
    }
    await store.markStarted(toTask(6))
    const prepared = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(() => {
      throw new Error('disk I/O error')
    })
    await untilFlushed()
    prepared.mockRestore()
    expect(await listCommits(() => store.journalResult(toEntry(6)))).toEqual(['FULL'])
  })

  test('has something to flush: the mark is written again, unless its task has ended', async () => {
    const readLog = () => sha256(readFileSync(join(directory, `${minerSchema.fileName}-wal`)))
    await store.markStarted(toTask(1))
    const before = readLog()
    await untilFlushed()
    expect(readLog()).not.toBe(before)
    await store.markStarted(toTask(2))
    await store.clearStarted(toNumberedHash(2))
    await Promise.all([store.markStarted(toTask(3)), store.clearStarted(toNumberedHash(3))])
    await untilFlushed()
    await store.markCrashed(9)
    expect(await listDigests()).toEqual([toNumberedHash(1)])
  })
})

describe('media of signed results', () => {
  const media = [2, 1].map((number) => ({ sha256: toNumberedHash(number), data: new Uint8Array(Buffer.from(`medium ${number}`)) }))

  test('stay byte for byte and in order until the result is delivered, also over a restart', async () => {
    await store.journalResult(toEntry(1), media)
    await store.journalResult(toEntry(2), media.slice(0, 1))
    await reopen()
    expect(await store.listOutboxMedia(toNumberedHash(1))).toEqual(media)
    await store.markDelivered(toNumberedHash(1), 5)
    expect(await store.listOutboxMedia(toNumberedHash(1))).toEqual([])
    expect(await store.listOutboxMedia(toNumberedHash(2))).toEqual(media.slice(0, 1))
  })

  test('are those of the first body: a second one brings none', async () => {
    await store.journalResult(toEntry(1), media.slice(0, 1))
    await store.journalResult({ ...toEntry(1), body: Buffer.from('another') }, media)
    expect(await store.listOutboxMedia(toNumberedHash(1))).toEqual(media.slice(0, 1))
    await store.markDelivered(toNumberedHash(1), 5)
    await store.journalResult(toEntry(1), media)
    expect(await store.listOutboxMedia(toNumberedHash(1))).toEqual([])
  })
})

describe('fault 28: marks of started tasks', () => {
  test('that are still there after a restart are crashes; those that ended are not', async () => {
    for (const number of [1, 2, 3]) await store.markStarted(toTask(number))
    await store.journalResult(toEntry(1))
    await store.clearStarted(toNumberedHash(2))
    await reopen()
    expect(await listDigests()).toEqual([])
    await store.markCrashed(50)
    expect(await store.takeCrashes(0)).toEqual([{ ...toTask(3), crashedAtMs: 50, reported: false }])
    await store.clearStarted(toNumberedHash(3))
    await store.markCrashReported(toNumberedHash(3))
    await reopen()
    expect(await store.takeCrashes(0)).toEqual([{ ...toTask(3), crashedAtMs: 50, reported: true }])
  })

  test('become crashes one by one too, and run on as marks beside them', async () => {
    for (const number of [1, 2]) await store.markStarted(toTask(number))
    await store.markCrashed(50, toNumberedHash(1))
    expect(await listDigests()).toEqual([toNumberedHash(1)])
    await store.markCrashed(60)
    expect(await listDigests()).toEqual([toNumberedHash(2), toNumberedHash(1)])
    expect(await listDigests(51)).toEqual([toNumberedHash(2)])
    expect(await listDigests()).toEqual([toNumberedHash(2)])
    for (const number of [3, 4]) await store.markStarted(toTask(number))
    await store.clearStarted()
    await store.markCrashed(70)
    expect(await listDigests()).toEqual([toNumberedHash(2)])
  })

  test('are at most 1,000 as crashes, the newest, and tasks that run are not among them', async () => {
    await store.markStarted(toTask(0))
    const numbers = Array.from({ length: 1_010 }, (_, index) => index + 1)
    await Promise.all(numbers.flatMap((number) => [store.markStarted(toTask(number)), store.markCrashed(number, toNumberedHash(number))]))
    const digests = await listDigests()
    expect([digests.length, digests[0], digests.at(-1)]).toEqual([1_000, toNumberedHash(1_010), toNumberedHash(11)])
    await store.markCrashed(2_000)
    expect((await listDigests())[0]).toBe(toNumberedHash(0))
  })
})

test('a payment record is kept with the books', async () => {
  await store.openAccount({ coordinator, voucher: null })
  expect(await store.listPayments()).toMatchObject([{ paymentRecord: 1 }])
  await store.keepPaymentRecord(coordinator, 0.765_625)
  await reopen()
  expect(await store.listPayments()).toMatchObject([{ paymentRecord: 0.765_625 }])
})

test('a file of the second version keeps its journal and its books', async () => {
  await store.close()
  rmSync(join(directory, minerSchema.fileName))
  const database = new DatabaseSync(join(directory, minerSchema.fileName))
  const [tables, payments] = minerSchema.migrations
  database.exec(`${tables}; ${payments}; PRAGMA application_id = ${minerSchema.applicationId}; PRAGMA user_version = 2`)
  database.exec(`INSERT INTO accounts (coordinator, owed_wei, results) VALUES ('${coordinator}', '5', 1)`)
  database.close()
  store = await openMinerStore({ directory })
  expect(await store.listPayments()).toMatchObject([{ owedWei: 5n, paymentRecord: 1 }])
  expect(await store.takeCrashes(0)).toEqual([])
})
