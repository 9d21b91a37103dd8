import type { AppRecord, AppStore } from '../domain/storePorts.ts'
import { createStoreDirectory, openDatabase, runRead, type StoreFile } from './database.ts'
import { coordinatorSchema } from './schema.ts'
import { WriteQueue } from './writeQueue.ts'

interface AppRow {
  id: string
  name: string
  key_hash: string
  key_prefix: string
  created_at: number
  revoked_at: number | null
}

const toRecord = (row: AppRow): AppRecord => ({
  id: row.id,
  name: row.name,
  keyHash: row.key_hash as AppRecord['keyHash'],
  keyPrefix: row.key_prefix,
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
})

/** The API keys' table. Each look goes to the file (3 µs), so that a key made or revoked by another process counts at once. */
export function createAppTable(file: StoreFile, queue: WriteQueue): Omit<AppStore, 'close'> {
  const insert = file.database.prepare('INSERT INTO apps (id, name, key_hash, key_prefix, created_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?)')
  const selectByKey = file.database.prepare('SELECT * FROM apps WHERE key_hash = ?')
  const selectAll = file.database.prepare('SELECT * FROM apps ORDER BY created_at, rowid')
  const revoke = file.database.prepare('UPDATE apps SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? RETURNING *')
  return {
    createApp: (app) =>
      queue.write(() => {
        insert.run(app.id, app.name, app.keyHash, app.keyPrefix, app.createdAt, app.revokedAt)
      }),
    findAppByKeyHash: (keyHash) =>
      runRead(file, () => {
        const row = selectByKey.get(keyHash) as AppRow | undefined
        return row === undefined ? null : toRecord(row)
      }),
    listApps: () => runRead(file, () => (selectAll.all() as unknown as AppRow[]).map(toRecord)),
    revokeApp: (id, atMs) =>
      queue.write(() => {
        const row = revoke.get(atMs, id) as AppRow | undefined
        return row === undefined ? null : toRecord(row)
      }),
  }
}

/**
 * The API keys of the coordinator whose store is in `directory`, for commands that run beside it: it takes no ownership, and
 * short writes wait for each other. Makes the store when there is none yet.
 * @throws CUCKOO_STORE_DAMAGED, CUCKOO_STORE_TOO_NEW, CUCKOO_STORE_FOREIGN when the file cannot be used
 */
export async function openAppStore(options: { directory: string }): Promise<AppStore> {
  createStoreDirectory(options.directory)
  const file = openDatabase(options.directory, coordinatorSchema, { busyTimeoutMs: 10_000 })
  const queue = new WriteQueue(file)
  return {
    ...createAppTable(file, queue),
    async close() {
      queue.close()
      file.database.close()
    },
  }
}
