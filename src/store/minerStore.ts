import type { Address, Hash } from '../domain/hex.ts'
import type { CoordinatorPayments, MinerStore, OutboxEntry } from '../domain/storePorts.ts'
import { createAccountTable, readAccounts } from './accountTable.ts'
import { createStoreDirectory, openDatabase, readDatabase, runRead, type StoreFile } from './database.ts'
import { createOwnerLock } from './ownerLock.ts'
import { minerSchema } from './schema.ts'
import { createStartedTable } from './startedTable.ts'
import { WriteQueue } from './writeQueue.ts'

interface OutboxRow {
  assignment_digest: string
  task_id: string
  attempt: number
  coordinator: string
  price_wei: string
  body: Uint8Array
  delivered_at_ms: number | null
}

const toEntry = (row: OutboxRow): OutboxEntry => ({
  assignmentDigest: row.assignment_digest as Hash,
  taskId: row.task_id as Hash,
  attempt: row.attempt,
  coordinator: row.coordinator as Address,
  priceWei: BigInt(row.price_wei),
  body: row.body,
  deliveredAtMs: row.delivered_at_ms,
})

/**
 * The miner's store in `directory`, owned by this process until `close`.
 * @throws CUCKOO_STORE_LOCKED when another process owns it: a second miner with the same key would sign twice
 * @throws CUCKOO_STORE_DAMAGED, CUCKOO_STORE_TOO_NEW, CUCKOO_STORE_FOREIGN when the file cannot be used
 */
export async function openMinerStore(options: { directory: string }): Promise<MinerStore> {
  createStoreDirectory(options.directory)
  const lock = createOwnerLock(options.directory)
  try {
    return createStore(openDatabase(options.directory, minerSchema, { busyTimeoutMs: 2_000 }), lock.release)
  } catch (error) {
    lock.release()
    throw error
  }
}

/**
 * What the miner with its store in `directory` is owed, and the vouchers it holds, while it runs or not; nothing is written.
 * Empty when there is no store yet.
 * @throws CUCKOO_STORE_DAMAGED, CUCKOO_STORE_TOO_NEW, CUCKOO_STORE_FOREIGN when the file cannot be used
 */
export async function readMinerPayments(options: { directory: string }): Promise<CoordinatorPayments[]> {
  return readDatabase(options.directory, minerSchema, readAccounts) ?? []
}

function createStore(file: StoreFile, release: () => void): MinerStore {
  const { database } = file
  const queue = new WriteQueue(file)
  const insert = database.prepare(`INSERT OR IGNORE INTO outbox (assignment_digest, task_id, attempt, coordinator, price_wei, body) VALUES (?, ?, ?, ?, ?, ?)`)
  const select = database.prepare('SELECT * FROM outbox WHERE assignment_digest = ?')
  const deliver = database.prepare('UPDATE outbox SET delivered_at_ms = coalesce(delivered_at_ms, ?) WHERE assignment_digest = ?')
  const selectUndelivered = database.prepare('SELECT * FROM outbox WHERE coordinator = ? AND delivered_at_ms IS NULL ORDER BY rowid')
  const count = database.prepare('SELECT count(*) AS signed, count(delivered_at_ms) AS delivered FROM outbox')
  const insertMedium = database.prepare('INSERT OR IGNORE INTO outbox_media (assignment_digest, sha256, bytes) VALUES (?, ?, ?)')
  const selectMedia = database.prepare('SELECT sha256, bytes FROM outbox_media WHERE assignment_digest = ? ORDER BY rowid')
  const deleteMedia = database.prepare('DELETE FROM outbox_media WHERE assignment_digest = ?')
  const accounts = createAccountTable(database)
  const started = createStartedTable(database)
  let isOpen = true
  return {
    journalResult: (entry, media = []) =>
      queue.write(() => {
        const { assignmentDigest, taskId, attempt, coordinator, priceWei, body } = entry
        const { changes } = insert.run(assignmentDigest, taskId, attempt, coordinator, priceWei.toString(), body)
        if (changes === 1) for (const { sha256, data } of media) insertMedium.run(assignmentDigest, sha256, data)
        started.clear(assignmentDigest)
        return { entry: toEntry(select.get(entry.assignmentDigest) as unknown as OutboxRow), created: changes === 1 }
      }),
    findResult: (assignmentDigest) =>
      runRead(file, () => {
        const row = select.get(assignmentDigest) as unknown as OutboxRow | undefined
        return row === undefined ? null : toEntry(row)
      }),
    markDelivered: (assignmentDigest, atMs) =>
      queue.write(() => {
        deliver.run(atMs, assignmentDigest)
        deleteMedia.run(assignmentDigest)
      }),
    listOutboxMedia: (assignmentDigest) =>
      runRead(file, () =>
        (selectMedia.all(assignmentDigest) as unknown as { sha256: Hash; bytes: Uint8Array }[]).map(({ sha256, bytes }) => ({ sha256, data: bytes })),
      ),
    listUndelivered: (coordinator) => runRead(file, () => (selectUndelivered.all(coordinator) as unknown as OutboxRow[]).map(toEntry)),
    countResults: () => runRead(file, () => ({ ...(count.get() as { signed: number; delivered: number }) })),
    openAccount: ({ coordinator, voucher }) => queue.write(() => accounts.open(coordinator, voucher)),
    addOwed: ({ coordinator, assignmentDigest, priceWei }) => queue.write(() => accounts.addResult(coordinator, assignmentDigest, priceWei)),
    keepVoucher: (voucher) => queue.write(() => accounts.keepVoucher(voucher)),
    keepPaymentRecord: (coordinator, paymentRecord) => queue.write(() => accounts.keepPaymentRecord(coordinator, paymentRecord)),
    listPayments: () => runRead(file, () => readAccounts(database)),
    // A machine that went down comes back after the lease has: by then the task is another miner's, and the mark is not needed.
    markStarted: (task) => queue.write(() => started.mark(task), 'process'),
    clearStarted: (assignmentDigest) => queue.write(() => started.clear(assignmentDigest)),
    markCrashed: (atMs, assignmentDigest) => queue.write(() => started.markCrashed(atMs, assignmentDigest)),
    markCrashReported: (assignmentDigest) => queue.write(() => started.markReported(assignmentDigest)),
    takeCrashes: (sinceMs) => queue.write(() => started.takeCrashes(sinceMs)),
    async close() {
      if (!isOpen) return
      isOpen = false
      queue.close()
      database.close()
      release()
    },
  }
}
