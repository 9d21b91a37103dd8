import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { toCanonicalJson } from '../../src/domain/canonical.ts'
import type { Address } from '../../src/domain/hex.ts'
import type { MinerStore, NewOutboxEntry, ResultSweep } from '../../src/domain/storePorts.ts'
import { openMinerStore } from '../../src/store/minerStore.ts'
import { minerSchema } from '../../src/store/schema.ts'
import { toNumberedHash } from '../support/storeFixtures.ts'
import { addCleanUp, createStoreDirectory, endStoresAfterEach } from '../support/testStores.ts'

endStoresAfterEach()

const coordinator: Address = `0x${'2'.padStart(40, '0')}`
const deadline = 10_000
const day = 86_400
const answered = { code: 'CUCKOO_MINER_ASSIGNMENT_ANSWERED', kind: 'rejected' }

async function open(directory = createStoreDirectory()): Promise<MinerStore> {
  const store = await openMinerStore({ directory })
  addCleanUp(() => store.close())
  return store
}

const toBody = (text: string) => Buffer.from(toCanonicalJson({ output: { text }, result: { units: '5' }, signature: '0xab' }))

function toEntry(number: number, more: Partial<NewOutboxEntry> = {}): NewOutboxEntry {
  return {
    assignmentDigest: toNumberedHash(number),
    taskId: toNumberedHash(1000 + number),
    attempt: 1,
    coordinator,
    priceWei: 5n,
    deadline: BigInt(deadline),
    body: toBody(`of ${number}`),
    ...more,
  }
}

/** Journals it and, as soon as the coordinator has answered, says so. */
async function deliver(store: MinerStore, entry: NewOutboxEntry): Promise<void> {
  await store.journalResult(entry)
  await store.markDelivered(entry.assignmentDigest, Number(entry.deadline) * 1000)
}

/** Takes all steps that there are, and returns the results that each took. */
async function sweep(store: MinerStore, now: number, more: Partial<ResultSweep> = {}): Promise<number[]> {
  const taken: number[] = []
  for (;;) {
    const { results } = await store.sweepResults({ now, bodySeconds: 60, rowSeconds: 600, limit: 100, limitBytes: 2 ** 30, ...more })
    if (results === 0) return taken
    taken.push(results)
  }
}

/** What stands in the file, beside the process that owns it. */
function query(directory: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(directory, minerSchema.fileName), { readOnly: true })
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    database.close()
  }
}
const readPages = (directory: string) => {
  const read = (name: string) => Object.values(query(directory, `PRAGMA ${name}`)[0] ?? {})[0] as number
  return { pages: read('page_count'), free: read('freelist_count') }
}

/** The assignment cannot be answered in another way than it was. */
async function expectAnswered(store: MinerStore, entry: NewOutboxEntry): Promise<void> {
  await expect(store.journalResult({ ...entry, body: toBody('another') })).rejects.toMatchObject(answered)
}

describe('a delivered result', () => {
  test('is answered again with the same bytes until the deadline and the slack have passed', async () => {
    const store = await open()
    await deliver(store, toEntry(1))
    expect(await sweep(store, deadline + 60)).toEqual([])
    const stored = { ...toEntry(1), deliveredAtMs: deadline * 1000 }
    expect(await store.journalResult({ ...toEntry(1), body: toBody('another') })).toMatchObject({
      created: false,
      entry: { deliveredAtMs: stored.deliveredAtMs },
    })
    expect(Buffer.from((await store.findResult(toNumberedHash(1)))?.body ?? [])).toEqual(toEntry(1).body)
    expect(await store.findResult(toNumberedHash(2))).toBeNull()
  })

  test('loses its output then, and keeps what was signed: nothing else is ever journaled for the assignment', async () => {
    const directory = createStoreDirectory()
    const store = await open(directory)
    await deliver(store, toEntry(1))
    expect(await sweep(store, deadline + 61)).toEqual([1])
    expect(query(directory, 'SELECT * FROM result_bodies')).toEqual([])
    expect(query(directory, 'SELECT signed FROM results')).toEqual([{ signed: '{"result":{"units":"5"},"signature":"0xab"}' }])
    await expect(store.findResult(toNumberedHash(1))).rejects.toMatchObject(answered)
    await expectAnswered(store, toEntry(1))
    await store.close()
    const again = await open(directory)
    await expectAnswered(again, toEntry(1))
    expect(await again.countResults()).toEqual({ signed: 1, delivered: 1 })
  })

  test('is forgotten after the court’s time: then no assignment with its deadline, or an earlier one, is journaled as new', async () => {
    const directory = createStoreDirectory()
    const store = await open(directory)
    await deliver(store, toEntry(1))
    await deliver(store, toEntry(2, { deadline: BigInt(deadline + 1) }))
    expect(await sweep(store, deadline + 601)).toEqual([3])
    expect(query(directory, 'SELECT assignment_digest FROM results')).toEqual([{ assignment_digest: toNumberedHash(2) }])
    await store.close()
    const again = await open(directory)
    expect(await again.findResult(toNumberedHash(1))).toBeNull()
    await expectAnswered(again, toEntry(1))
    await expectAnswered(again, toEntry(3, { deadline: 1n }))
    expect(await again.listUndelivered(coordinator)).toEqual([])
    await expectAnswered(again, toEntry(2, { deadline: BigInt(deadline + 1) }))
    expect(await again.journalResult(toEntry(4, { deadline: BigInt(deadline + 1) }))).toMatchObject({ created: true })
  })

  test('gives its pages to the next: the file stops growing', async () => {
    const directory = createStoreDirectory()
    const store = await open(directory)
    const fill = async (round: number) => {
      for (let number = 1; number <= 10; number++) {
        await deliver(store, toEntry(100 * round + number, { deadline: BigInt(deadline + round), body: Buffer.alloc(200_000, number) }))
      }
    }
    await fill(0)
    const full = readPages(directory)
    await sweep(store, deadline + 61)
    expect(readPages(directory).free).toBeGreaterThan(0.95 * full.pages)
    for (let round = 1; round <= 3; round++) {
      await fill(round)
      await sweep(store, deadline + round + 61)
    }
    expect(readPages(directory).pages).toBeLessThan(1.05 * full.pages)
  })

  test('is taken in the portions that are asked for, by number and by bytes, the oldest first', async () => {
    const directory = createStoreDirectory()
    const store = await open(directory)
    for (const number of [3, 1, 2, 5, 4]) await deliver(store, toEntry(number, { deadline: BigInt(deadline + number) }))
    const step = { now: deadline + 100, bodySeconds: 60, rowSeconds: 600, limit: 100, limitBytes: 1_000 }
    const bytes = toEntry(1).body.length
    expect(await store.sweepResults({ ...step, limit: 2 })).toEqual({ results: 2, bytes: 2 * bytes })
    expect(query(directory, 'SELECT deadline - 10000 AS number FROM results WHERE signed IS NULL ORDER BY deadline')).toEqual(
      [3, 4, 5].map((number) => ({ number })),
    )
    expect(await store.sweepResults({ ...step, limitBytes: bytes + 1 })).toEqual({ results: 2, bytes: 2 * bytes })
    expect(await store.sweepResults({ ...step, limitBytes: 1 })).toEqual({ results: 1, bytes })
    expect(await store.sweepResults(step)).toEqual({ results: 0, bytes: 0 })
  })

  test('whose body is not the JSON of a submission goes too', async () => {
    const store = await open()
    await deliver(store, toEntry(1, { body: Buffer.from([0xff, 0, 1]) }))
    expect(await sweep(store, deadline + 61)).toEqual([1])
    await expectAnswered(store, toEntry(1))
  })
})

test('an undelivered result stays whole however old it is, with its media', async () => {
  const store = await open()
  const media = [{ sha256: toNumberedHash(9), data: new Uint8Array([1, 2, 3]) }]
  await store.journalResult(toEntry(1), media)
  await deliver(store, toEntry(2))
  await sweep(store, deadline + 1_000 * day)
  expect(await store.listUndelivered(coordinator)).toMatchObject([{ assignmentDigest: toNumberedHash(1), deliveredAtMs: null }])
  expect(Buffer.from((await store.findResult(toNumberedHash(1)))?.body ?? [])).toEqual(toEntry(1).body)
  expect(await store.listOutboxMedia(toNumberedHash(1))).toEqual(media)
  expect(await store.journalResult({ ...toEntry(1), body: toBody('another') })).toMatchObject({ created: false })
})

test('prices of swept results go from the books once they are paid for, and the books say the same', async () => {
  const directory = createStoreDirectory()
  const store = await open(directory)
  const voucher = { coordinator, miner: coordinator, cumulativeWei: 12n, issuedAt: 1n }
  for (const [number, priceWei] of [5n, 0n, 7n, 8n, 0n, 9n].entries()) {
    await deliver(store, toEntry(number, { priceWei }))
    await store.addOwed({ coordinator, assignmentDigest: toNumberedHash(number), priceWei })
  }
  await store.keepVoucher({ voucher, signature: '0xab' })
  const before = await store.listPayments()
  expect(before).toMatchObject([{ owedWei: 29n, results: 6, unpaidResults: 2 }])
  const listKept = () => query(directory, 'SELECT price_wei FROM accepted_results ORDER BY number').map(({ price_wei }) => price_wei)
  await sweep(store, deadline + 60)
  expect(listKept()).toEqual(['5', '0', '7', '8', '0', '9'])
  await sweep(store, deadline + 61)
  expect(listKept()).toEqual(['8', '0', '9'])
  expect(await store.listPayments()).toEqual(before)
  await store.keepVoucher({ voucher: { ...voucher, cumulativeWei: 29n }, signature: '0xab' })
  await sweep(store, deadline + 601)
  expect(listKept()).toEqual([])
  expect(await store.listPayments()).toMatchObject([{ owedWei: 29n, results: 6, unpaidResults: 0 }])
})

/** A file as the version before left it, with these rows in its journal; `deliveredAt` in unix seconds. */
function createFormer(directory: string, rows: { number: number; deliveredAt: number | null }[]): void {
  const before = new DatabaseSync(join(directory, minerSchema.fileName))
  for (const migration of minerSchema.migrations.slice(0, 3)) before.exec(migration)
  before.exec(`PRAGMA application_id = ${minerSchema.applicationId}; PRAGMA user_version = 3; BEGIN`)
  const insert = before.prepare(
    'INSERT INTO outbox (assignment_digest, task_id, attempt, coordinator, price_wei, body, delivered_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const accept = before.prepare('INSERT INTO accepted_results (assignment_digest, coordinator, price_wei) VALUES (?, ?, ?)')
  for (const { number, deliveredAt } of rows) {
    const { assignmentDigest, taskId, attempt, priceWei, body } = toEntry(number)
    insert.run(assignmentDigest, taskId, attempt, coordinator, priceWei.toString(), body, deliveredAt === null ? null : deliveredAt * 1000)
    accept.run(assignmentDigest, coordinator, '0')
  }
  before.exec('COMMIT')
  before.close()
}

describe('a file of the version before', () => {
  const deliveredAt = 1_000
  /** The first second in which a body of before may go. */
  const dueAt = deliveredAt + day + 60 + 60 + 1

  test('opens with all that it has, and nothing of it is touched by that', async () => {
    const directory = createStoreDirectory()
    createFormer(directory, [
      { number: 1, deliveredAt },
      { number: 2, deliveredAt: null },
    ])
    const store = await open(directory)
    expect(query(directory, 'SELECT count(*) AS rows FROM outbox')).toEqual([{ rows: 2 }])
    expect(await store.countResults()).toEqual({ signed: 2, delivered: 1 })
    await store.journalResult(toEntry(3))
    expect((await store.listUndelivered(coordinator)).map(({ assignmentDigest }) => assignmentDigest)).toEqual([2, 3].map(toNumberedHash))
    for (const number of [1, 2]) {
      expect(Buffer.from((await store.findResult(toNumberedHash(number)))?.body ?? [])).toEqual(toEntry(number).body)
      expect(await store.journalResult({ ...toEntry(number), body: toBody('another') })).toMatchObject({ created: false })
    }
    await store.markDelivered(toNumberedHash(2), 5)
    expect(await store.findResult(toNumberedHash(2))).toMatchObject({ priceWei: 5n, deliveredAtMs: 5 })
    expect((await store.listUndelivered(coordinator)).length).toBe(1)
  })

  test('is swept like any other, a day and the slack after delivery; what was not delivered is kept whole', async () => {
    const directory = createStoreDirectory()
    createFormer(directory, [
      { number: 1, deliveredAt: null },
      { number: 2, deliveredAt },
      { number: 3, deliveredAt: deliveredAt + 1 },
    ])
    const store = await open(directory)
    expect(await sweep(store, dueAt - 1)).toEqual([1])
    expect((await store.findResult(toNumberedHash(2)))?.body.length).toBe(toEntry(2).body.length)
    expect(await sweep(store, dueAt)).toEqual([1])
    expect(query(directory, 'SELECT count(*) AS rows FROM outbox')).toEqual([{ rows: 1 }])
    await expectAnswered(store, toEntry(2))
    expect(query(directory, 'SELECT assignment_digest AS digest FROM accepted_results')).toEqual([1, 3].map((number) => ({ digest: toNumberedHash(number) })))
    expect(await store.listUndelivered(coordinator)).toMatchObject([{ assignmentDigest: toNumberedHash(1), attempt: 1, priceWei: 5n }])
    expect(Buffer.from((await store.findResult(toNumberedHash(1)))?.body ?? [])).toEqual(toEntry(1).body)
    expect((await store.findResult(toNumberedHash(3)))?.body.length).toBe(toEntry(3).body.length)
    await sweep(store, dueAt + 1 + 1_000 * day)
    expect(await store.countResults()).toEqual({ signed: 2, delivered: 1 })
    await sweep(store, dueAt + 2_000 * day)
    expect(await store.countResults()).toEqual({ signed: 1, delivered: 0 })
    for (const number of [2, 3]) await expectAnswered(store, toEntry(number))
  })
})

test('SIGKILL in the middle of a sweep: what is undelivered is whole, no assignment can be answered anew, and the next sweep ends it', async () => {
  const directory = createStoreDirectory()
  const [former, current] = [1, 21].map((first) => Array.from({ length: 20 }, (_, index) => first + index)) as [number[], number[]]
  const numbers = [...former, ...current]
  const undelivered = numbers.filter((number) => number % 4 === 1)
  createFormer(
    directory,
    former.map((number) => ({ number, deliveredAt: undelivered.includes(number) ? null : 1 })),
  )
  const store = await open(directory)
  for (const number of current) await (undelivered.includes(number) ? store.journalResult(toEntry(number)) : deliver(store, toEntry(number)))
  await store.close()
  const script = new URL('../support/minerSweeper.ts', import.meta.url).pathname
  const run = async (statements: number) => {
    const args = ['--disable-warning=ExperimentalWarning', script, directory, String(10 * day), String(statements)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    addCleanUp(() => child.kill('SIGKILL'))
    return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  }
  let kills = 0
  // In another statement of a step each time; a step takes three results with some nine statements.
  while ((await run(1 + ((7 * kills) % 31))) === 'SIGKILL') {
    kills++
    const after = await openMinerStore({ directory })
    const found = await after.listUndelivered(coordinator)
    expect(found.map(({ assignmentDigest }) => assignmentDigest).sort()).toEqual(undelivered.map(toNumberedHash).sort())
    for (const { assignmentDigest, body } of found) {
      const number = numbers.find((one) => toNumberedHash(one) === assignmentDigest) as number
      expect(Buffer.from(body)).toEqual(toEntry(number).body)
    }
    const answers = await Promise.allSettled(numbers.map((number) => after.journalResult({ ...toEntry(number), body: toBody('another') })))
    expect(answers.filter((answer) => answer.status === 'fulfilled' && answer.value.created)).toEqual([])
    await after.close()
  }
  expect(kills).toBeGreaterThan(10)
  const last = await open(directory)
  // Former rows count as a day old when they are moved.
  await sweep(last, 20 * day)
  expect(await last.countResults()).toEqual({ signed: undelivered.length, delivered: 0 })
  expect(query(directory, 'SELECT (SELECT count(*) FROM outbox) AS former, (SELECT count(*) FROM result_bodies) AS bodies')).toEqual([
    { former: 0, bodies: undelivered.length },
  ])
})
