import type { CoordinatorStore } from '../domain/storePorts.ts'
import { type BlobTable, namingStepMs } from './blobTable.ts'
import { runRead, type StoreFile } from './database.ts'
import type { TaskBlobs } from './taskBlobs.ts'
import { fromTaskRow, type TaskRow } from './taskRows.ts'
import type { UploadTable } from './uploadTable.ts'
import type { WriteQueue } from './writeQueue.ts'

type SweeperMethods = Pick<CoordinatorStore, 'getContentHorizon' | 'raiseContentHorizon' | 'nameOpenTasks' | 'deleteBlobs'>

/** A blob may have been named, and the task that named it may have ended, a step later than is written. */
const slackMs = 2 * namingStepMs

/**
 * What deletes contents, a small transaction at a time. The horizon is raised before the first blob goes: a process that is killed
 * in between leaves blobs that nobody needs, which the next sweep finds, and never a task whose content is missing without a reason.
 */
export function createContentSweeper(
  file: StoreFile,
  queue: WriteQueue,
  { blobs, uploads, taskBlobs }: { blobs: BlobTable; uploads: UploadTable; taskBlobs: TaskBlobs },
): SweeperMethods {
  const selectHorizon = file.database.prepare("SELECT value FROM meta WHERE name = 'content_horizon_ms'")
  const setHorizon = file.database.prepare(`INSERT INTO meta (name, value) VALUES ('content_horizon_ms', :at) ON CONFLICT (name)
    DO UPDATE SET value = excluded.value WHERE CAST(value AS INTEGER) < CAST(excluded.value AS INTEGER)`)
  const selectOpen = file.database.prepare(`SELECT *, rowid AS row FROM tasks WHERE state IN ('queued', 'assigned', 'running') AND created_at_ms < :before
    AND (created_at_ms, rowid) > (:created, :row) ORDER BY created_at_ms, rowid LIMIT :limit`)
  return {
    getContentHorizon: () => runRead(file, () => Number((selectHorizon.get() as { value: string } | undefined)?.value ?? 0)),
    raiseContentHorizon: (endedBeforeMs) =>
      queue.write(() => {
        setHorizon.run({ at: String(endedBeforeMs) })
      }),
    nameOpenTasks: ({ createdBeforeMs, atMs, after, limit }) =>
      queue.write(() => {
        const { createdAtMs, row } = after ?? { createdAtMs: -1, row: 0 }
        const rows = selectOpen.all({ before: createdBeforeMs, created: createdAtMs, row, limit }) as unknown as (TaskRow & { row: number })[]
        for (const open of rows) taskBlobs.name(fromTaskRow(open), atMs)
        const last = rows.at(-1)
        return last === undefined ? null : { createdAtMs: last.created_at_ms, row: last.row }
      }),
    deleteBlobs: ({ by, neededBeforeMs, limit, limitBytes }) =>
      queue.write(() => {
        const deleted = { blobs: 0, bytes: 0 }
        for (const { hash, bytes } of blobs.listStale(by, neededBeforeMs - slackMs, limit)) {
          blobs.remove(hash)
          uploads.remove(hash)
          deleted.blobs++
          deleted.bytes += bytes
          if (deleted.bytes >= limitBytes) break
        }
        return deleted
      }),
  }
}
