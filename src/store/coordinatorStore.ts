import { sha256 } from '../domain/canonical.ts'
import type { Hash } from '../domain/hex.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { CoordinatorStore } from '../domain/storePorts.ts'
import { createAppTable } from './appStore.ts'
import { createBlobTable } from './blobTable.ts'
import { createContentSweeper } from './contentSweeper.ts'
import { createStoreDirectory, openDatabase, runRead, type StoreFile } from './database.ts'
import { createDrawTable } from './drawTable.ts'
import { createOwedTable } from './owedTable.ts'
import { createOwnerLock } from './ownerLock.ts'
import { coordinatorSchema } from './schema.ts'
import { readSpace } from './space.ts'
import { toStoreError } from './sqliteErrors.ts'
import { createTaskBlobs } from './taskBlobs.ts'
import { createTaskTable } from './taskTable.ts'
import { createUploadTable } from './uploadTable.ts'
import { WriteQueue } from './writeQueue.ts'

export interface CoordinatorStoreOptions {
  directory: string
  /** the file grows no further than this; writes that need more fail with CUCKOO_STORE_FULL */
  maxBytes?: number
}

/**
 * The coordinator's store in `directory`, owned by this process until `close`; its incarnation is one higher than the last
 * time. Every promise of it resolves after its transaction is on disk.
 * @throws CUCKOO_STORE_LOCKED when another process owns it
 * @throws CUCKOO_STORE_DAMAGED, CUCKOO_STORE_TOO_NEW, CUCKOO_STORE_FOREIGN when the file cannot be used
 */
export async function openCoordinatorStore(options: CoordinatorStoreOptions): Promise<CoordinatorStore> {
  createStoreDirectory(options.directory)
  const lock = createOwnerLock(options.directory)
  let file: StoreFile | undefined
  try {
    file = openDatabase(options.directory, coordinatorSchema, { busyTimeoutMs: 2_000, ...options })
    return createStore(file, lock.release)
  } catch (error) {
    file?.database.close()
    lock.release()
    throw file === undefined ? error : toStoreError(error, file)
  }
}

function createStore(file: StoreFile, release: () => void): CoordinatorStore {
  const { database } = file
  const incarnation = bumpIncarnation(file)
  const queue = new WriteQueue(file)
  const blobs = createBlobTable(database)
  const uploads = createUploadTable(database)
  const taskBlobs = createTaskBlobs(blobs, uploads)
  const draws = createDrawTable(database)
  const owed = createOwedTable(database)
  const insertManifest = database.prepare('INSERT OR IGNORE INTO manifests (digest, body, first_seen_at_ms) VALUES (?, ?, ?)')
  const selectManifests = database.prepare('SELECT digest, body, first_seen_at_ms FROM manifests ORDER BY first_seen_at_ms, rowid')
  let isOpen = true
  return {
    incarnation,
    ...createTaskTable(file, queue, { taskBlobs, draws, owed }),
    ...createAppTable(file, queue),
    ...createContentSweeper(file, queue, { blobs, uploads, taskBlobs }),
    putBlob: (bytes) => queue.write(() => blobs.put(bytes, { by: 'model', atMs: 0 })),
    putMedia: async (bytes, { atMs, app, hash = sha256(bytes) }) => {
      const upload = app === null ? null : { appId: app.id, hash, bytes: bytes.length }
      const refusal = await queue.write(
        () => {
          const problem = upload === null || app === null ? null : uploads.findRefusal(upload, app.quotaBytes)
          if (problem !== null) return problem
          blobs.put(bytes, { by: 'upload', atMs }, hash)
          if (upload !== null) uploads.add(upload)
          return null
        },
        app === null ? 'process' : 'power',
      )
      if (refusal !== null) throw refusal
      return hash
    },
    getSpace: () => readSpace(file, () => uploads.getTotal()),
    assertWithinQuota: (appId, newBlobs) =>
      runRead(file, () => {
        const refusal = taskBlobs.findQuotaRefusal(appId, newBlobs)
        if (refusal !== null) throw refusal
      }),
    getBlob: (hash) => runRead(file, () => blobs.get(hash)),
    putManifest: (manifest, digest, unixMs) =>
      queue.write(() => {
        insertManifest.run(digest, JSON.stringify(manifest), unixMs)
        for (const { sha256 } of manifest.files) blobs.name(sha256, { by: 'model', atMs: unixMs })
      }),
    listManifests: () =>
      runRead(file, () =>
        (selectManifests.all() as unknown as { digest: Hash; body: string; first_seen_at_ms: number }[]).map((row) => ({
          digest: row.digest,
          manifest: JSON.parse(row.body) as Manifest,
          firstSeenAtMs: row.first_seen_at_ms,
        })),
      ),
    getDrawLog: () => runRead(file, () => draws.getHead()),
    openDrawEpoch: (epoch) => queue.write(() => draws.openEpoch(epoch)),
    listUnrevealedEpochs: () => runRead(file, () => draws.listUnrevealed()),
    markEpochRevealed: (epoch) => queue.write(() => draws.markRevealed(epoch)),
    raiseOwed: (miner, atLeastWei) => queue.write(() => owed.raise(miner, atLeastWei)),
    getOwed: (miner) => runRead(file, () => owed.get(miner)),
    async close() {
      if (!isOpen) return
      isOpen = false
      queue.close()
      database.close()
      release()
    },
  }
}

function bumpIncarnation(file: StoreFile): number {
  const row = file.database
    .prepare(
      `INSERT INTO meta (name, value) VALUES ('incarnation', '1') ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1
      RETURNING value`,
    )
    .get() as { value: string }
  return Number(row.value)
}
