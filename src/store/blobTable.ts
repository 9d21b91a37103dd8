import type { DatabaseSync } from 'node:sqlite'
import { sha256 } from '../domain/canonical.ts'
import type { Hash } from '../domain/hex.ts'

/** What a blob is kept for, as its row has it: the highest of what ever named it. */
const keepers = { upload: 0, task: 1, model: 2 } as const
export type Keeper = keyof typeof keepers

/** Why a blob is needed, and when (unix ms). */
export interface Naming {
  by: Keeper
  atMs: number
}

/** A row that is not rewritten for being named again within ten minutes: parameters that every task shares are named all the time. */
export const namingStepMs = 600_000

/** Bytes under their own SHA-256: the same bytes are kept once. Writes are for inside a write of the queue. */
export interface BlobTable {
  /** `hash` where the caller has computed it already */
  put(bytes: Uint8Array, naming: Naming, hash?: Hash): Hash
  /** False: there is no such blob. */
  name(hash: Hash, naming: Naming): boolean
  has(hash: Hash): boolean
  get(hash: Hash): Uint8Array | null
  /** Those that were last named by `by` before `beforeMs`, oldest first, with their bytes. */
  listStale(by: Keeper, beforeMs: number, limit: number): { hash: Hash; bytes: number }[]
  remove(hash: Hash): void
}

/** The content-addressed part of a store. */
export function createBlobTable(database: DatabaseSync): BlobTable {
  const insert = database.prepare(`INSERT INTO blobs (hash, bytes, kept_for, named_at_ms) VALUES (:hash, :bytes, :by, :at)
    ON CONFLICT (hash) DO UPDATE SET kept_for = max(kept_for, :by), named_at_ms = max(named_at_ms, :at)
    WHERE kept_for < :by OR named_at_ms < :at - ${namingStepMs}`)
  const rename = database.prepare(`UPDATE blobs SET kept_for = max(kept_for, :by), named_at_ms = max(named_at_ms, :at)
    WHERE hash = :hash AND (kept_for < :by OR named_at_ms < :at - ${namingStepMs})`)
  const find = database.prepare('SELECT 1 FROM blobs WHERE hash = ?')
  const select = database.prepare('SELECT bytes FROM blobs WHERE hash = ?')
  const selectStale = database.prepare(
    'SELECT hash, length(bytes) AS bytes FROM blobs WHERE kept_for = :by AND named_at_ms < :before ORDER BY named_at_ms LIMIT :limit',
  )
  const remove = database.prepare('DELETE FROM blobs WHERE hash = ?')
  const since = database.prepare("SELECT value FROM meta WHERE name = 'blobs_since_ms'").get() as { value: string } | undefined
  const sinceMs = Number(since?.value ?? 0)
  const has = (hash: Hash) => find.get(hash) !== undefined
  return {
    put(bytes, { by, atMs }, hash = sha256(bytes)) {
      insert.run({ hash, bytes, by: keepers[by], at: atMs })
      return hash
    },
    name: (hash, { by, atMs }) => rename.run({ hash, by: keepers[by], at: atMs }).changes > 0 || has(hash),
    has,
    get: (hash) => (select.get(hash) as { bytes: Uint8Array } | undefined)?.bytes ?? null,
    listStale(by, beforeMs, limit) {
      // Rows of before the migration say 0: they count from it.
      if (beforeMs <= sinceMs) return []
      return selectStale.all({ by: keepers[by], before: beforeMs, limit }) as unknown as { hash: Hash; bytes: number }[]
    },
    remove(hash) {
      remove.run(hash)
    },
  }
}
