import type { Hash } from '../domain/hex.ts'
import type { CoordinatorPayments, MinerStore, OutboxEntry, StartedTask } from '../domain/storePorts.ts'
import { assignmentAnswered } from '../errors/miner.ts'
import { createAccountTable, readAccounts } from './accountTable.ts'
import { createStoreDirectory, openDatabase, readDatabase, runRead, type StoreFile } from './database.ts'
import { createOwnerLock } from './ownerLock.ts'
import { createResultSweeper } from './resultSweeper.ts'
import { createResultTable, type StoredResult } from './resultTable.ts'
import { minerSchema } from './schema.ts'
import { createStartedTable } from './startedTable.ts'
import { WriteQueue } from './writeQueue.ts'

/** The whole of what is stored. @throws CUCKOO_MINER_ASSIGNMENT_ANSWERED when its body is gone, or nothing is stored */
function toEntry(stored: StoredResult | undefined, assignment: Hash): OutboxEntry {
  const body = stored?.body ?? null
  if (stored === undefined || body === null) throw assignmentAnswered({ assignment })
  return { ...stored, body }
}

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
  const results = createResultTable(database)
  const insertMedium = database.prepare('INSERT OR IGNORE INTO outbox_media (assignment_digest, sha256, bytes) VALUES (?, ?, ?)')
  const selectMedia = database.prepare('SELECT sha256, bytes FROM outbox_media WHERE assignment_digest = ? ORDER BY rowid')
  const deleteMedia = database.prepare('DELETE FROM outbox_media WHERE assignment_digest = ?')
  const accounts = createAccountTable(database)
  const sweep = createResultSweeper(database, accounts.forgetResult)
  const started = createStartedTable(database)
  /** By assignment: whether its mark is on disk. */
  const marks = new Map<Hash, Promise<boolean>>()
  // The queue writes in the next turn of the event loop: by then the model computes.
  const flushMark = (task: StartedTask): Promise<boolean> =>
    queue.write(() => {
      if (!marks.has(task.assignmentDigest)) return false
      // Written again: a commit of nothing flushes nothing.
      started.mark(task)
      return true
    })
  const forgetMark = (assignmentDigest: Hash | undefined) => {
    if (assignmentDigest === undefined) marks.clear()
    else marks.delete(assignmentDigest)
  }
  let isOpen = true
  return {
    async journalResult(entry, media = []) {
      const { assignmentDigest } = entry
      const isMarked = await marks.get(assignmentDigest)
      marks.delete(assignmentDigest)
      const write = () => {
        const created = results.insert(entry)
        if (created) for (const { sha256, data } of media) insertMedium.run(assignmentDigest, sha256, data)
        started.clear(assignmentDigest)
        return { stored: results.find(assignmentDigest), created }
      }
      const { stored, created } = await queue.write(write, isMarked ? 'process' : 'power')
      return { entry: toEntry(stored, assignmentDigest), created }
    },
    async findResult(assignmentDigest) {
      const stored = await runRead(file, () => results.find(assignmentDigest))
      return stored === undefined ? null : toEntry(stored, assignmentDigest)
    },
    markDelivered: (assignmentDigest, atMs) =>
      queue.write(() => {
        results.markDelivered(assignmentDigest, atMs)
        deleteMedia.run(assignmentDigest)
      }),
    sweepResults: (input) => queue.write(() => sweep(input)),
    listOutboxMedia: (assignmentDigest) =>
      runRead(file, () =>
        (selectMedia.all(assignmentDigest) as unknown as { sha256: Hash; bytes: Uint8Array }[]).map(({ sha256, bytes }) => ({ sha256, data: bytes })),
      ),
    listUndelivered: (coordinator) => runRead(file, () => results.listUndelivered(coordinator)),
    countResults: () => runRead(file, results.count),
    openAccount: ({ coordinator, voucher }) => queue.write(() => accounts.open(coordinator, voucher)),
    addOwed: ({ coordinator, assignmentDigest, priceWei }) => queue.write(() => accounts.addResult(coordinator, assignmentDigest, priceWei)),
    keepVoucher: (voucher) => queue.write(() => accounts.keepVoucher(voucher)),
    keepPaymentRecord: (coordinator, paymentRecord) => queue.write(() => accounts.keepPaymentRecord(coordinator, paymentRecord)),
    listPayments: () => runRead(file, () => readAccounts(database)),
    markStarted(task) {
      const marked = queue.write(() => started.mark(task), 'process')
      // Known from now on, so that whoever clears it in between has cleared it.
      marks.set(
        task.assignmentDigest,
        marked.then(() => flushMark(task)).catch(() => false),
      )
      return marked
    },
    clearStarted(assignmentDigest) {
      forgetMark(assignmentDigest)
      return queue.write(() => started.clear(assignmentDigest))
    },
    markCrashed(atMs, assignmentDigest) {
      forgetMark(assignmentDigest)
      return queue.write(() => started.markCrashed(atMs, assignmentDigest))
    },
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
