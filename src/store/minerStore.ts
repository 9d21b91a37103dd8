import type { Address, Hash } from '../domain/hex.ts'
import type { MinerStore, OutboxEntry } from '../domain/storePorts.ts'
import { createStoreDirectory, openDatabase, runRead, type StoreFile } from './database.ts'
import { createOwnerLock } from './ownerLock.ts'
import { minerSchema } from './schema.ts'
import { WriteQueue } from './writeQueue.ts'

interface OutboxRow {
  assignment_digest: string
  task_id: string
  attempt: number
  coordinator: string
  body: Uint8Array
  delivered_at_ms: number | null
}

const toEntry = (row: OutboxRow): OutboxEntry => ({
  assignmentDigest: row.assignment_digest as Hash,
  taskId: row.task_id as Hash,
  attempt: row.attempt,
  coordinator: row.coordinator as Address,
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

function createStore(file: StoreFile, release: () => void): MinerStore {
  const { database } = file
  const queue = new WriteQueue(file)
  const insert = database.prepare(`INSERT OR IGNORE INTO outbox (assignment_digest, task_id, attempt, coordinator, body) VALUES (?, ?, ?, ?, ?)`)
  const select = database.prepare('SELECT * FROM outbox WHERE assignment_digest = ?')
  const deliver = database.prepare('UPDATE outbox SET delivered_at_ms = coalesce(delivered_at_ms, ?) WHERE assignment_digest = ?')
  const selectUndelivered = database.prepare('SELECT * FROM outbox WHERE coordinator = ? AND delivered_at_ms IS NULL ORDER BY rowid')
  const count = database.prepare('SELECT count(*) AS signed, count(delivered_at_ms) AS delivered FROM outbox')
  let isOpen = true
  return {
    journalResult: (entry) =>
      queue.write(() => {
        const { changes } = insert.run(entry.assignmentDigest, entry.taskId, entry.attempt, entry.coordinator, entry.body)
        return { entry: toEntry(select.get(entry.assignmentDigest) as unknown as OutboxRow), created: changes === 1 }
      }),
    markDelivered: (assignmentDigest, atMs) =>
      queue.write(() => {
        deliver.run(atMs, assignmentDigest)
      }),
    listUndelivered: (coordinator) => runRead(file, () => (selectUndelivered.all(coordinator) as unknown as OutboxRow[]).map(toEntry)),
    countResults: () => runRead(file, () => ({ ...(count.get() as { signed: number; delivered: number }) })),
    async close() {
      if (!isOpen) return
      isOpen = false
      queue.close()
      database.close()
      release()
    },
  }
}
