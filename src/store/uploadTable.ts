import type { DatabaseSync } from 'node:sqlite'
import type { Hash } from '../domain/hex.ts'
import { mediaQuotaExceeded } from '../errors/api.ts'
import type { CuckooError } from '../errors/cuckooError.ts'

/** A medium that an app brought. */
export interface Upload {
  appId: string
  hash: Hash
  bytes: number
}

/** Which app brought which medium, and what its media take together. Two that bring the same are both charged. For inside a write of the queue. */
export interface UploadTable {
  /** Why `appId` may not bring `bytes` more, or null: it may, or has brought this medium before. */
  findRefusal(upload: Upload, quotaBytes: number): CuckooError | null
  add(upload: Upload): void
  /** Forgets a medium that is deleted. */
  remove(hash: Hash): void
  /** bytes of all apps' media */
  getTotal(): number
}

/** The ledger of uploads: sums stand beside it, since an app may bring a million small images. */
export function createUploadTable(database: DatabaseSync): UploadTable {
  const find = database.prepare('SELECT 1 FROM uploads WHERE hash = ? AND app_id = ?')
  const insert = database.prepare('INSERT OR IGNORE INTO uploads (hash, app_id, bytes) VALUES (?, ?, ?)')
  const remove = database.prepare('DELETE FROM uploads WHERE hash = ? RETURNING app_id, bytes')
  const selectSum = database.prepare('SELECT bytes FROM app_media WHERE app_id = ?')
  const total = database.prepare('SELECT coalesce(sum(bytes), 0) AS bytes FROM app_media')
  const addToSum = database.prepare('INSERT INTO app_media (app_id, bytes) VALUES (?, ?) ON CONFLICT (app_id) DO UPDATE SET bytes = bytes + excluded.bytes')
  return {
    findRefusal({ appId, hash, bytes }, quotaBytes) {
      const usedBytes = (selectSum.get(appId) as { bytes: number } | undefined)?.bytes ?? 0
      if (usedBytes + bytes <= quotaBytes || find.get(hash, appId) !== undefined) return null
      return mediaQuotaExceeded({ bytes, usedBytes, quotaBytes })
    },
    add({ appId, hash, bytes }) {
      if (insert.run(hash, appId, bytes).changes > 0) addToSum.run(appId, bytes)
    },
    remove(hash) {
      for (const { app_id, bytes } of remove.all(hash) as unknown as { app_id: string; bytes: number }[]) addToSum.run(app_id, -bytes)
    },
    getTotal: () => (total.get() as { bytes: number }).bytes,
  }
}
