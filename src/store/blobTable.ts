import type { DatabaseSync } from 'node:sqlite'
import { sha256 } from '../domain/canonical.ts'
import type { Hash } from '../domain/hex.ts'

/** Bytes under their own SHA-256: the same bytes are kept once. */
export interface BlobTable {
  /** inside a write of the queue; `hash` where the caller has computed it already */
  put(bytes: Uint8Array, hash?: Hash): Hash
  get(hash: Hash): Uint8Array | null
}

/** The content-addressed part of a store. */
export function createBlobTable(database: DatabaseSync): BlobTable {
  const insert = database.prepare('INSERT OR IGNORE INTO blobs (hash, bytes) VALUES (?, ?)')
  const select = database.prepare('SELECT bytes FROM blobs WHERE hash = ?')
  return {
    put(bytes, hash = sha256(bytes)) {
      insert.run(hash, bytes)
      return hash
    },
    get: (hash) => (select.get(hash) as { bytes: Uint8Array } | undefined)?.bytes ?? null,
  }
}
