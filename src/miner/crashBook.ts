import type { Hash } from '../domain/hex.ts'
import type { Clock } from '../domain/ports.ts'
import type { CrashedTask, MinerStore, StartedTask } from '../domain/storePorts.ts'
import type { MinerEvents } from './minerEvents.ts'
import type { CrashState } from './minerState.ts'

/** A task's deadline is at most a day after its issue: after that it cannot come again, and its input may be tried once more. */
const refusalMs = 86_400_000

/** A model that does not let go of a task is given no other, and a miner has at most 64 tasks at a time (see `slots`): what is stuck is among its last. */
const maxBegun = 64

/** What a task is known by when it comes again: under another number or for another app, it is the same input in the same model. */
type TaskIdentity = Pick<StartedTask, 'taskId' | 'manifest' | 'inputHash'>

/**
 * The crash journal: which tasks are in a model's worker now, written down before it is given them, and which of them ended the process
 * or that worker. Several that ran side by side are all under suspicion, as nobody can tell which it was.
 */
export class CrashBook {
  readonly #store: MinerStore
  readonly #clock: Clock
  readonly #events: MinerEvents
  /** Of each model, the tasks that it was given last. */
  readonly #begun = new Map<Hash, StartedTask[]>()
  #crashes: CrashedTask[] = []
  #isClosed = false

  private constructor(store: MinerStore, clock: Clock, events: MinerEvents) {
    this.#store = store
    this.#clock = clock
    this.#events = events
  }

  /** The journal of `store`. Tasks that an earlier process began and did not end are crashes from now on. */
  static async open(store: MinerStore, clock: Clock, events: MinerEvents): Promise<CrashBook> {
    const book = new CrashBook(store, clock, events)
    const nowMs = clock.nowMs()
    await store.markCrashed(nowMs)
    await book.#reload()
    for (const crash of book.#crashes) if (crash.crashedAtMs === nowMs) book.#emit(crash)
    return book
  }

  /** Resolves once it is written, beyond this process's end, that a model is given the task. Does nothing after {@link close}. */
  async begin(task: StartedTask): Promise<void> {
    const before = (this.#begun.get(task.manifest) ?? []).filter(({ assignmentDigest }) => assignmentDigest !== task.assignmentDigest)
    this.#begun.set(task.manifest, [...before, task].slice(-maxBegun))
    if (!this.#isClosed) await this.#store.markStarted(task)
  }

  /** The task has ended without a result and without harm. */
  async end(assignmentDigest: Hash): Promise<void> {
    for (const [manifest, tasks] of this.#begun) {
      this.#begun.set(
        manifest,
        tasks.filter((task) => task.assignmentDigest !== assignmentDigest),
      )
    }
    await this.#store.clearStarted(assignmentDigest)
  }

  /**
   * The miner has been told to stop, so the end of its process accuses nobody any more, whoever hastens it: all marks are cleared and no
   * more are written. That gives up to note a task that crashes while the miner drains.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#store.clearStarted()
  }

  /** Models with these manifests do not let go of what they were given: those of their tasks that have neither ended nor a result are crashes. */
  async blame(manifests: readonly Hash[]): Promise<void> {
    for (const task of manifests.flatMap((manifest) => this.#begun.get(manifest) ?? [])) {
      if ((await this.#store.findResult(task.assignmentDigest)) !== null) continue
      await this.#store.markStarted(task)
      await this.addCrash(task.assignmentDigest)
    }
  }

  /** The task ended the worker that ran it. */
  async addCrash(assignmentDigest: Hash): Promise<void> {
    await this.#store.markCrashed(this.#clock.nowMs(), assignmentDigest)
    await this.#reload()
    const crash = this.#crashes.find((crash) => crash.assignmentDigest === assignmentDigest)
    if (crash !== undefined) this.#emit(crash)
  }

  /** The crash for which a task is refused, if there is one. */
  find({ taskId, manifest, inputHash }: TaskIdentity): CrashedTask | undefined {
    const sinceMs = this.#clock.nowMs() - refusalMs
    const isSame = (crash: CrashedTask) => crash.taskId === taskId || (crash.manifest === manifest && crash.inputHash === inputHash)
    return this.#crashes.find((crash) => crash.crashedAtMs >= sinceMs && isSame(crash))
  }

  /** Crashes that `coordinator` has not been told of. */
  listUnreported(coordinator: string): CrashedTask[] {
    return this.#crashes.filter((crash) => crash.coordinator === coordinator && !crash.reported)
  }

  async markReported(assignmentDigest: Hash): Promise<void> {
    await this.#store.markCrashReported(assignmentDigest)
    await this.#reload()
  }

  getState(): CrashState[] {
    return this.#crashes.map(({ taskId, attempt, coordinator, model, manifest, crashedAtMs, reported }) => ({
      taskId,
      attempt,
      coordinator,
      model,
      manifest,
      atMs: crashedAtMs,
      reported,
    }))
  }

  async #reload(): Promise<void> {
    this.#crashes = await this.#store.takeCrashes(this.#clock.nowMs() - refusalMs)
  }

  #emit({ coordinator, taskId, attempt, model }: CrashedTask): void {
    this.#events.emit({ type: 'taskCrashed', node: coordinator, taskId, attempt, model })
  }
}
