import type { Hash } from '../domain/hex.ts'
import type { NewBlob, NewTask, TaskRecord } from '../domain/storePorts.ts'
import { listInputMedia, listOutputMedia, type TaskContent, type TaskOutput } from '../domain/task.ts'
import { taskKindTraits } from '../domain/taskKinds.ts'
import { mediaAbsent } from '../errors/api.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import type { BlobTable } from './blobTable.ts'
import type { UploadTable } from './uploadTable.ts'

type Named = Pick<TaskRecord, 'kind' | 'inputHash' | 'paramsHash'>

/**
 * The blobs that tasks name: input, params, output, and the media that input and output name in turn. Each carries the last moment
 * at which it was named, and a task names its own when it is made, when it ends and, if it stays open for long, in between:
 * so what an open or a younger task needs is never older than that task. For inside a write of the queue.
 */
export interface TaskBlobs {
  /** Why an app may not keep `newBlobs`, or null. */
  findQuotaRefusal(appId: string, newBlobs: readonly NewBlob[]): CuckooError | null
  /** Why the task cannot be made, or null: its medium has gone meanwhile, or is more than its app may keep. */
  findRefusal(task: NewTask): CuckooError | null
  create(task: NewTask): void
  /** Keeps the output of a task that is done and the media that came with it, and names those that it names. */
  complete(task: TaskRecord, made: { output: Uint8Array; outputHash: Hash; media?: readonly NewBlob[] }): void
  /** Names what was asked. */
  name(task: Named, atMs: number): void
}

/** What tasks name in `blobs`, media of apps counted in `uploads`. */
export function createTaskBlobs(blobs: BlobTable, uploads: UploadTable): TaskBlobs {
  const listMedia = ({ kind, inputHash }: Named, given?: Uint8Array): Hash[] => {
    const bytes = taskKindTraits[kind].takes.media === null ? null : (given ?? blobs.get(inputHash))
    if (bytes === null) return []
    return listInputMedia({ kind, input: JSON.parse(Buffer.from(bytes).toString()), params: {} } as TaskContent).map(({ sha256 }) => sha256)
  }
  const listNewMedia = (task: NewTask): Hash[] => listMedia(task, task.blobs.find(({ hash }) => hash === task.inputHash)?.bytes)
  const findQuotaRefusal = (appId: string, newBlobs: readonly NewBlob[]): CuckooError | null => {
    for (const { hash, bytes, quotaBytes } of newBlobs) {
      const refusal = quotaBytes === undefined ? null : uploads.findRefusal({ appId, hash, bytes: bytes.length }, quotaBytes)
      if (refusal !== null) return refusal
    }
    return null
  }
  return {
    findQuotaRefusal,
    findRefusal(task) {
      const refusal = findQuotaRefusal(task.appId, task.blobs)
      if (refusal !== null) return refusal
      const absent = listNewMedia(task).find((media) => !task.blobs.some(({ hash }) => hash === media) && !blobs.has(media))
      return absent === undefined ? null : mediaAbsent({ hash: absent })
    },
    create(task) {
      const naming = { by: 'task', atMs: task.createdAtMs } as const
      for (const { hash, bytes, quotaBytes } of task.blobs) {
        blobs.put(bytes, naming, hash)
        if (quotaBytes !== undefined) uploads.add({ appId: task.appId, hash, bytes: bytes.length })
      }
      for (const hash of listNewMedia(task)) blobs.name(hash, naming)
    },
    complete(task, { output, outputHash, media = [] }) {
      const naming = { by: 'task', atMs: task.finishedAtMs ?? task.createdAtMs } as const
      blobs.put(output, naming, outputHash)
      for (const { hash, bytes } of media) blobs.put(bytes, naming, hash)
      if (taskKindTraits[task.kind].gives !== null)
        for (const { sha256 } of listOutputMedia(JSON.parse(Buffer.from(output).toString()) as TaskOutput)) blobs.name(sha256, naming)
    },
    name(task, atMs) {
      for (const hash of [task.inputHash, task.paramsHash, ...listMedia(task)]) blobs.name(hash, { by: 'task', atMs })
    },
  }
}
