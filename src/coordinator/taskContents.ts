import type { Hash } from '../domain/hex.ts'
import type { CoordinatorStore, TaskRecord } from '../domain/storePorts.ts'
import type { TaskContent, TaskOutput } from '../domain/task.ts'
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

  /** Kind, input and params as the store has them. */
  async read(record: TaskRecord): Promise<TaskContent> {
    const [input, params] = await Promise.all([this.#readJson(record.id, record.inputHash), this.#readJson(record.id, record.paramsHash)])
    return { kind: record.kind, input, params } as TaskContent
  }

  /** The output of a task that is done, null for any other. */
  async findOutput(record: TaskRecord): Promise<TaskOutput | null> {
    return record.outputHash === null ? null : ((await this.#readJson(record.id, record.outputHash)) as TaskOutput)
  }

  async #readJson(taskId: Hash, hash: Hash): Promise<unknown> {
    const bytes = await this.#store.getBlob(hash)
    if (bytes === null) throw taskContentMissing({ taskId, hash })
    return JSON.parse(Buffer.from(bytes).toString())
  }
}
