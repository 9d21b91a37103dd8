import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../src/domain/canonical.ts'
import type { Address } from '../../src/domain/hex.ts'
import type { SignedVoucher } from '../../src/domain/payments.ts'
import { toPrice } from '../../src/domain/receipt.ts'
import type { MinerStore } from '../../src/domain/storePorts.ts'
import { openCoordinatorStore } from '../../src/store/coordinatorStore.ts'
import { openMinerStore, readMinerPayments } from '../../src/store/minerStore.ts'
import { coordinatorSchema, minerSchema, type Schema } from '../../src/store/schema.ts'
import { createNewTask, toDraw, toNumberedHash, toTestReceipt } from '../support/storeFixtures.ts'
import { addCleanUp, createStoreDirectory, endStoresAfterEach } from '../support/testStores.ts'

endStoresAfterEach()

const miner: Address = `0x${'1'.padStart(40, '0')}`
const coordinator: Address = `0x${'2'.padStart(40, '0')}`

/** A store file as the first version of its schema left it. */
function createFirstVersion(schema: Schema, directory: string, fill: string): void {
  const database = new DatabaseSync(join(directory, schema.fileName))
  database.exec(`${schema.migrations[0]}; ${fill}; PRAGMA application_id = ${schema.applicationId}; PRAGMA user_version = 1`)
  database.close()
}

describe('what a coordinator owes', () => {
  const complete = async (store: Awaited<ReturnType<typeof openCoordinatorStore>>, number: number, index: bigint, units = 2n ** 63n) => {
    const task = createNewTask(number)
    await store.createTask(task)
    await store.assignTask({
      id: task.id,
      attempt: 1,
      miner,
      leaseUntilMs: 5_000,
      assignmentDigest: toNumberedHash(1000 + number),
      signedAssignment: Buffer.from('signed'),
      draw: toDraw(index, task.id),
    })
    const receipt = toTestReceipt(task.id)
    const output = Buffer.from(`output ${number}`)
    const input = {
      id: task.id,
      attempt: 1,
      outputHash: sha256(output),
      output,
      receipt: { ...receipt, result: { ...receipt.result, units } },
      finishedAtMs: 1,
    }
    return { input, results: await Promise.all([store.completeTask(input), store.completeTask(input)]) }
  }

  test('grows with each result, once, to the wei, in the same transaction, and outlives the process', async () => {
    const directory = createStoreDirectory()
    const store = await openCoordinatorStore({ directory })
    expect(await store.getOwed(miner)).toBe(0n)
    const first = await complete(store, 1, 0n)
    expect(first.results.map((result) => result?.state)).toEqual(['done', undefined])
    const priceWei = toPrice(first.input.receipt)
    expect(priceWei).toBe(2n ** 63n * 10n ** 12n)
    expect(await store.getOwed(miner)).toBe(priceWei)
    await complete(store, 2, 1n, 1n)
    await complete(store, 3, 2n, 0n)
    expect(await store.getOwed(coordinator)).toBe(0n)
    await store.close()
    const again = await openCoordinatorStore({ directory })
    addCleanUp(() => again.close())
    expect(await again.getOwed(miner)).toBe(priceWei + 10n ** 12n)
    expect(await again.completeTask(first.input)).toBeNull()
    expect(await again.getOwed(miner)).toBe(priceWei + 10n ** 12n)
  })

  test('a result that is not written is not owed', async () => {
    const directory = createStoreDirectory()
    const store = await openCoordinatorStore({ directory, maxBytes: 400_000 })
    addCleanUp(() => store.close())
    const { input } = await complete(store, 1, 0n, 7n)
    const owedWei = await store.getOwed(miner)
    await store.createTask(createNewTask(2))
    const huge = { ...input, id: toNumberedHash(2), output: Buffer.alloc(1_000_000), outputHash: toNumberedHash(99) }
    await store.assignTask({
      id: huge.id,
      attempt: 1,
      miner,
      leaseUntilMs: 1,
      assignmentDigest: toNumberedHash(7),
      signedAssignment: Buffer.from('s'),
      draw: toDraw(1n, huge.id),
    })
    await expect(store.completeTask(huge)).rejects.toMatchObject({ code: 'CUCKOO_STORE_FULL' })
    expect(await store.getOwed(miner)).toBe(owedWei)
  })
})

describe('draw epochs', () => {
  test('stay unrevealed until they are marked, oldest first', async () => {
    const directory = createStoreDirectory()
    const store = await openCoordinatorStore({ directory })
    const toEpoch = (epoch: number) => ({ epoch, secret: toNumberedHash(epoch), commitment: toNumberedHash(100 + epoch) })
    for (const epoch of [3, 1, 2]) await store.openDrawEpoch(toEpoch(epoch))
    expect(await store.listUnrevealedEpochs()).toEqual([1, 2, 3].map(toEpoch))
    await store.markEpochRevealed(2)
    await store.close()
    const again = await openCoordinatorStore({ directory })
    addCleanUp(() => again.close())
    expect(await again.listUnrevealedEpochs()).toEqual([1, 3].map(toEpoch))
    expect(await again.openDrawEpoch({ ...toEpoch(2), secret: toNumberedHash(9) })).toEqual(toEpoch(2))
  })
})

describe('files of the first version', () => {
  test('of a coordinator: tasks stay, secrets of hourly epochs go', async () => {
    const directory = createStoreDirectory()
    createFirstVersion(coordinatorSchema, directory, `INSERT INTO draw_epochs VALUES (480000, '0x1', '0x2'); INSERT INTO meta VALUES ('incarnation', '7')`)
    const store = await openCoordinatorStore({ directory })
    addCleanUp(() => store.close())
    expect(store.incarnation).toBe(8)
    expect(await store.listUnrevealedEpochs()).toEqual([])
    expect(await store.getOwed(miner)).toBe(0n)
  })

  test('of a miner: its journal stays; read beside it before it was opened again there is nothing', async () => {
    const directory = createStoreDirectory()
    const fill = `INSERT INTO outbox VALUES ('${toNumberedHash(1)}', '${toNumberedHash(2)}', 1, '${coordinator}', x'00', NULL)`
    createFirstVersion(minerSchema, directory, fill)
    expect(await readMinerPayments({ directory })).toEqual([])
    const store = await openMinerStore({ directory })
    addCleanUp(() => store.close())
    expect(await store.listUndelivered(coordinator)).toMatchObject([{ taskId: toNumberedHash(2), priceWei: 0n }])
    expect(await store.listPayments()).toEqual([])
  })
})

describe('a miner’s books', () => {
  const sign = (cumulativeWei: bigint, issuedAt = 1_700_000_000n, byte = 'ab'): SignedVoucher => ({
    voucher: { coordinator, miner, cumulativeWei, issuedAt },
    signature: `0x${byte.repeat(65)}`,
  })
  const open = async (directory = createStoreDirectory()): Promise<MinerStore> => {
    const store = await openMinerStore({ directory })
    addCleanUp(() => store.close())
    return store
  }
  const accept = (store: MinerStore, number: number, priceWei: bigint) => store.addOwed({ coordinator, assignmentDigest: toNumberedHash(number), priceWei })
  const read = async (store: MinerStore) => (await store.listPayments())[0]

  test('add each result once, and count those that the voucher does not cover', async () => {
    const store = await open()
    const big = 2n ** 100n
    for (const [number, priceWei] of [big, 5n, 0n, 7n].entries()) await accept(store, number, priceWei)
    await accept(store, 1, 5n)
    expect(await read(store)).toEqual({ coordinator, owedWei: big + 12n, results: 4, unpaidResults: 3, voucher: null, paymentRecord: 1 })
    await store.keepVoucher(sign(big))
    expect(await read(store)).toMatchObject({ unpaidResults: 2, voucher: sign(big) })
    await store.keepVoucher(sign(big + 5n))
    expect(await read(store)).toMatchObject({ unpaidResults: 1 })
    await store.keepVoucher(sign(big + 11n))
    expect(await read(store)).toMatchObject({ unpaidResults: 1 })
    await store.keepVoucher(sign(big + 12n))
    expect(await read(store)).toMatchObject({ unpaidResults: 0 })
  })

  test('keep the higher voucher, and of two as high the newer', async () => {
    const store = await open()
    await store.keepVoucher(sign(10n, 100n))
    await store.keepVoucher(sign(9n, 500n, 'cd'))
    expect((await read(store))?.voucher).toEqual(sign(10n, 100n))
    await store.keepVoucher(sign(10n, 99n, 'cd'))
    expect((await read(store))?.voucher).toEqual(sign(10n, 100n))
    await store.keepVoucher(sign(10n, 101n, 'cd'))
    expect((await read(store))?.voucher).toEqual(sign(10n, 101n, 'cd'))
    await store.keepVoucher(sign(11n, 50n))
    expect((await read(store))?.voucher).toEqual(sign(11n, 50n))
  })

  test('begin with what the voucher says, and only once', async () => {
    const store = await open()
    await store.openAccount({ coordinator, voucher: sign(50n) })
    expect(await read(store)).toEqual({ coordinator, owedWei: 50n, results: 0, unpaidResults: 0, voucher: sign(50n), paymentRecord: 1 })
    await store.openAccount({ coordinator, voucher: sign(90n) })
    await accept(store, 1, 5n)
    expect(await read(store)).toEqual({ coordinator, owedWei: 55n, results: 1, unpaidResults: 1, voucher: sign(50n), paymentRecord: 1 })
  })

  test('outlive the process, and are read by others while it runs', async () => {
    const directory = createStoreDirectory()
    expect(await readMinerPayments({ directory })).toEqual([])
    const store = await openMinerStore({ directory })
    await accept(store, 1, 5n)
    await store.keepVoucher(sign(3n))
    const expected = [{ coordinator, owedWei: 5n, results: 1, unpaidResults: 1, voucher: sign(3n), paymentRecord: 1 }]
    expect(await readMinerPayments({ directory })).toEqual(expected)
    await store.close()
    expect(await readMinerPayments({ directory })).toEqual(expected)
    const again = await open(directory)
    await accept(again, 1, 5n)
    expect(await again.listPayments()).toEqual(expected)
  })

  test('in a file that is not ours are refused', async () => {
    const directory = createStoreDirectory()
    const database = new DatabaseSync(join(directory, minerSchema.fileName))
    database.exec('CREATE TABLE cats (name TEXT)')
    database.close()
    await expect(readMinerPayments({ directory })).rejects.toMatchObject({ code: 'CUCKOO_STORE_FOREIGN' })
  })
})
