import type { Hash } from '../domain/hex.ts'
import type { CoordinatorStore, TaskRecord } from '../domain/storePorts.ts'
import type { TaskContent, TaskOutput } from '../domain/task.ts'
import { contentDeleted } from '../errors/api.ts'
import { taskContentMissing } from '../errors/coordinator.ts'
import type { BoardTask } from './taskBoard.ts'

/** What tasks ask and answer, from memory or from the store's blobs. */
export class TaskContents {
  readonly #store: CoordinatorStore

  constructor(store: CoordinatorStore) {
    this.#store = store
  }

  /** Kind, input and params of an open task. */
  async get(task: BoardTask): Promise<TaskContent> {
    return task.content ?? this.read(task.record)
  }

  /** Kind, input and params as the store has them. @throws as {@link getBlob} does */
  async read(record: TaskRecord): Promise<TaskContent> {
    const [input, params] = await Promise.all([this.#readJson(record, record.inputHash), this.#readJson(record, record.paramsHash)])
    return { kind: record.kind, input, params } as TaskContent
  }

  /** The output of a task that is done, null for any other. @throws as {@link getBlob} does */
  async findOutput(record: TaskRecord): Promise<TaskOutput | null> {
    return record.outputHash === null ? null : ((await this.#readJson(record, record.outputHash)) as TaskOutput)
  }

  /**
   * A blob that this task names.
   * @throws CUCKOO_TASK_CONTENT_DELETED when the task ended so long ago that it is no longer kept
   * @throws CUCKOO_COORDINATOR_CONTENT_MISSING when it should be there
   */
  async getBlob({ id: taskId, finishedAtMs }: TaskRecord, hash: Hash): Promise<Uint8Array> {
    const bytes = await this.#store.getBlob(hash)
    if (bytes !== null) return bytes
    const horizonMs = await this.#store.getContentHorizon()
    if (finishedAtMs === null || finishedAtMs >= horizonMs) throw taskContentMissing({ taskId, hash })
    throw contentDeleted({ taskId, endedAt: toDate(finishedAtMs), deletedBefore: toDate(horizonMs) })
  }

  async #readJson(record: TaskRecord, hash: Hash): Promise<unknown> {
    return JSON.parse(Buffer.from(await this.getBlob(record, hash)).toString())
  }
}

/** To the second, in UTC. */
function toDate(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(/\.\d+/, '')
}
