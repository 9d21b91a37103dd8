import type { DatabaseSync } from 'node:sqlite'
import type { Address, Hash } from '../domain/hex.ts'
import type { NewOutboxEntry, OutboxEntry } from '../domain/storePorts.ts'

/** A stored result. `body` is null once it is gone. */
export type StoredResult = Omit<OutboxEntry, 'body'> & { body: Uint8Array | null }

interface ResultRow {
  assignment_digest: string
  task_id: string
  attempt: number
  coordinator: string
  price_wei: string
  body: Uint8Array | null
  delivered_at_ms: number | null
}

/** A miner's journal of signed results. Writes are for inside a write of the queue. */
export interface ResultTable {
  /** False with nothing written: the assignment has a result, or may have had one that is forgotten. */
  insert(entry: NewOutboxEntry): boolean
  find(assignmentDigest: Hash): StoredResult | undefined
  markDelivered(assignmentDigest: Hash, atMs: number): void
  listUndelivered(coordinator: Address): OutboxEntry[]
  count(): { signed: number; delivered: number }
}

const toResult = (row: ResultRow): StoredResult => ({
  assignmentDigest: row.assignment_digest as Hash,
  taskId: row.task_id as Hash,
  attempt: row.attempt,
  coordinator: row.coordinator as Address,
  priceWei: BigInt(row.price_wei),
  body: row.body,
  deliveredAtMs: row.delivered_at_ms,
})

const columns = 'assignment_digest, task_id, attempt, coordinator, price_wei, body, delivered_at_ms'
const withBody = `SELECT ${columns} FROM results LEFT JOIN result_bodies USING (number)`

/**
 * The tables of signed results: bodies stand beside the rows, so that marking one as delivered writes a page and not the body again.
 * `outbox` is where versions before kept both; the sweep moves its rows, a few at a time, and they are read there until then.
 */
export function createResultTable(database: DatabaseSync): ResultTable {
  const insert = database.prepare(`INSERT OR IGNORE INTO results (assignment_digest, task_id, attempt, coordinator, price_wei, deadline)
    SELECT :digest, :task, :attempt, :coordinator, :price, :deadline WHERE :deadline > (SELECT deadline FROM forgotten)
      AND NOT EXISTS (SELECT 1 FROM outbox WHERE assignment_digest = :digest)`)
  const insertBody = database.prepare('INSERT INTO result_bodies (number, body) VALUES (?, ?)')
  const select = database.prepare(`${withBody} WHERE assignment_digest = :digest UNION ALL SELECT ${columns} FROM outbox WHERE assignment_digest = :digest`)
  const undelivered = 'WHERE coordinator = ? AND delivered_at_ms IS NULL'
  const selectUndelivered = [
    database.prepare(`SELECT ${columns} FROM outbox ${undelivered} ORDER BY rowid`),
    database.prepare(`${withBody} ${undelivered} ORDER BY number`),
  ]
  const deliver = ['results', 'outbox'].map((table) =>
    database.prepare(`UPDATE ${table} SET delivered_at_ms = coalesce(delivered_at_ms, ?) WHERE assignment_digest = ?`),
  )
  const count = database.prepare(`SELECT count(*) AS signed, count(delivered_at_ms) AS delivered
    FROM (SELECT delivered_at_ms FROM results UNION ALL SELECT delivered_at_ms FROM outbox)`)
  return {
    insert({ assignmentDigest, taskId, attempt, coordinator, priceWei, deadline, body }) {
      const row = { digest: assignmentDigest, task: taskId, attempt, coordinator, price: priceWei.toString(), deadline }
      const { changes, lastInsertRowid } = insert.run(row)
      if (changes === 0) return false
      insertBody.run(lastInsertRowid, body)
      return true
    },
    find(assignmentDigest) {
      const row = select.get({ digest: assignmentDigest }) as unknown as ResultRow | undefined
      return row === undefined ? undefined : toResult(row)
    },
    markDelivered(assignmentDigest, atMs) {
      for (const statement of deliver) if (statement.run(atMs, assignmentDigest).changes > 0) return
    },
    listUndelivered: (coordinator) =>
      selectUndelivered.flatMap((statement) => (statement.all(coordinator) as unknown as ResultRow[]).map((row) => toResult(row) as OutboxEntry)),
    count: () => ({ ...(count.get() as { signed: number; delivered: number }) }),
  }
}
