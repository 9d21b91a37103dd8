import type { Address } from '../domain/hex.ts'
import type { OutboxEntry } from '../domain/storePorts.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import { taskCrashed } from '../errors/miner.ts'
import type { CoordinatorLink } from './coordinatorLink.ts'
import type { Credit } from './credit.ts'
import { deliverResult } from './deliverResult.ts'
import type { MinerContext } from './minerContext.ts'
import type { AttemptName, CoordinatorName } from './minerEvents.ts'
import type { RunningTask } from './minerState.ts'
import type { CoordinatorSession } from './openCoordinatorSession.ts'
import { isTransient } from './retry.ts'
import { type PolledTask, runTask, type TaskEnd } from './runTask.ts'

/** The tasks of one coordinator: those that run, results of earlier runs that are still owed to it, and what came of all. */
export class MinerTasks {
  readonly totals = { tasksDone: 0, tasksFailed: 0, earnedWei: 0n }
  readonly #context: MinerContext
  readonly #link: CoordinatorLink
  readonly #getName: () => CoordinatorName
  readonly #stop: AbortSignal
  readonly #tasks = new Map<string, RunningTask>()
  readonly #deliveries = new Set<string>()
  #setbacks = 0

  /** `stop` ends what runs; its reason is what the tasks end with. */
  constructor(context: MinerContext, link: CoordinatorLink, getName: () => CoordinatorName, stop: AbortSignal) {
    this.#context = context
    this.#link = link
    this.#getName = getName
    this.#stop = stop
  }

  /** Tasks that run, and those whose results are on their way. */
  count(): { running: number; delivering: number } {
    const delivering = [...this.#tasks.values()].filter((task) => task.delivering).length
    return { running: this.#tasks.size - delivering, delivering }
  }

  /** True while something is still to be run or delivered. */
  get busy(): boolean {
    return this.#tasks.size > 0 || this.#deliveries.size > 0
  }

  /**
   * Tasks in a row that ended badly: by an assignment that had to be refused or was answered before, by media that did not come, or by
   * a fault of ours. The more, the less often a miner asks: one that can do nothing must not draw task after task and fail each.
   */
  get setbacks(): number {
    return this.#setbacks
  }

  listTasks(): RunningTask[] {
    return [...this.#tasks.values()].map((task) => ({ ...task }))
  }

  /** Runs a task to its end in the background. One that runs already is ignored. */
  start(polled: PolledTask, session: CoordinatorSession, credit: Credit, getOperators: () => readonly Address[]): void {
    const { assignment, content, model } = polled
    const key = toKey(assignment)
    if (this.#tasks.has(key)) {
      this.#setbacks++
      this.#context.logger.warn({ taskId: assignment.taskId, attempt: assignment.attempt }, 'a task that runs here already was assigned again')
      return
    }
    const name: AttemptName = { taskId: assignment.taskId, attempt: assignment.attempt, model, kind: content.kind }
    const task: RunningTask = { ...name, startedAtMs: this.#context.clock.nowMs(), unitsDone: 0, maxUnits: 0n, delivering: false }
    this.#tasks.set(key, task)
    void this.#run(polled, task, session, credit, getOperators)
      .then((end) => this.#record(name, end, this.#context.clock.nowMs() - task.startedAtMs))
      .finally(() => {
        this.#tasks.delete(key)
        credit.release(assignment)
        this.#context.changed.notify()
      })
  }

  async #run(polled: PolledTask, task: RunningTask, session: CoordinatorSession, credit: Credit, getOperators: () => readonly Address[]): Promise<TaskEnd> {
    const { engineLoad, events, changed } = this.#context
    let leaveSlot = () => {}
    let end = () => {}
    const runner = { ...this.#context, link: this.#link, credit, coordinator: session.coordinator, heartbeatMs: session.heartbeatMs, getOperators }
    return runTask(
      runner,
      polled,
      {
        onStart: ({ inputTokens, maxUnits }) => {
          end = engineLoad.begin()
          task.maxUnits = maxUnits
          events.emit({ type: 'taskStarted', coordinator: this.#getName(), task: toName(task), inputTokens, maxUnits, stream: polled.stream })
        },
        onUnits: (unitsDone) => {
          task.unitsDone = unitsDone
        },
        takeSlot: async (signal) => {
          leaveSlot = await engineLoad.takeSlot(signal)
        },
        onModelFree: (hasOutput) => {
          leaveSlot()
          end()
          task.delivering = hasOutput
          if (!hasOutput) changed.notify()
        },
        // Only now is the next task asked for: the result, which an app waits for, goes out 0.7 ms earlier.
        onSent: () => changed.notify(),
      },
      this.#stop,
    )
  }

  #record(task: AttemptName, end: TaskEnd, totalMs: number): void {
    if (end.state === 'done') this.#setbacks = 0
    else if (end.state !== 'failed' || isSetback(end.error)) this.#setbacks++
    if (end.state === 'done') this.#recordResult(task, end, totalMs)
    else if (end.state === 'answered') this.#recordAnswered(task, end)
    else this.#recordFailure(task, end.error)
  }

  #recordResult(task: AttemptName, end: TaskEnd & { state: 'done' }, totalMs: number): void {
    const { events, metrics } = this.#context
    this.totals.tasksDone++
    this.totals.earnedWei += end.priceWei
    metrics.tasksDone.inc({ kind: task.kind })
    metrics.inferenceSeconds.observe({ kind: task.kind }, end.inferenceMs / 1000)
    metrics.units.inc({ kind: task.kind }, Number(end.units))
    if (task.kind === 'chat' || task.kind === 'completion') metrics.outputTokens.inc(Number(end.units))
    events.emit({ type: 'taskDone', coordinator: this.#getName(), task, units: end.units, inferenceMs: end.inferenceMs, totalMs, priceWei: end.priceWei })
  }

  #recordAnswered({ taskId, attempt }: AttemptName, { error, priceWei }: TaskEnd & { state: 'answered' }): void {
    this.totals.earnedWei += priceWei
    if (!this.#stop.aborted) this.#context.events.emit({ type: 'resultSettled', coordinator: this.#getName(), taskId, attempt, error })
  }

  #recordFailure(task: AttemptName, error: CuckooError): void {
    const { events, metrics, logger } = this.#context
    this.totals.tasksFailed++
    metrics.tasksFailed.inc({ code: error.code })
    if (error.kind === 'internal') logger.error({ err: error, taskId: task.taskId, attempt: task.attempt }, 'a task failed inside the miner')
    events.emit({ type: 'taskFailed', coordinator: this.#getName(), task, error })
  }

  /** Sends again what earlier runs signed and could not deliver to `coordinator`, in the background, one after another. */
  deliverLeftovers(credit: Credit): void {
    void this.#deliverAll(credit)
      .catch((error: unknown) => this.#context.logger.error({ err: error }, 'the journal of signed results cannot be read'))
      .finally(() => this.#context.changed.notify())
  }

  /** Tells `coordinator` which of its tasks ended this process, or a model's worker, before. That the task is no longer ours is as good as told. */
  async reportCrashes(coordinator: Address): Promise<void> {
    const { crashes, logger } = this.#context
    for (const { assignmentDigest, taskId, attempt, model } of crashes.listUnreported(coordinator)) {
      const { code, message } = taskCrashed({ taskId, model })
      try {
        await this.#link.request('failTask', { params: { taskId, attempt }, body: { code, message, fatal: false } }, this.#stop)
      } catch (error) {
        if (this.#stop.aborted) return
        if (isTransient(error)) continue
      }
      await crashes.markReported(assignmentDigest).catch((error: unknown) => logger.error({ err: error }, 'the crash journal cannot be written'))
    }
  }

  async #deliverAll(credit: Credit): Promise<void> {
    const entries = await this.#context.store.listUndelivered(credit.coordinator)
    const leftovers = entries.filter((entry) => !this.#tasks.has(toKey(entry)) && !this.#deliveries.has(toKey(entry)))
    for (const entry of leftovers) this.#deliveries.add(toKey(entry))
    for (const entry of leftovers) {
      if (!this.#stop.aborted) await this.#deliver(entry, credit)
      this.#deliveries.delete(toKey(entry))
    }
  }

  async #deliver(entry: OutboxEntry, credit: Credit): Promise<void> {
    const { store, clock, timing, events } = this.#context
    const { taskId, attempt } = entry
    const settle = (error: CuckooError | null) => events.emit({ type: 'resultSettled', coordinator: this.#getName(), taskId, attempt, error })
    try {
      await deliverResult(entry, { link: this.#link, credit, store, clock, backoff: timing.backoff }, this.#stop)
      this.totals.earnedWei += entry.priceWei
      settle(null)
    } catch (error) {
      if (!this.#stop.aborted) settle(toCuckooError(error))
    }
  }
}

/** Neither an app that cancelled or asked for the impossible, nor a coordinator that gave the task to another. A worker that ends over every task is one. */
function isSetback(error: CuckooError): boolean {
  return error.code === taskCrashed.code || (error.kind !== 'usage' && error.kind !== 'rejected')
}

function toKey({ taskId, attempt }: { taskId: string; attempt: number }): string {
  return `${taskId}:${attempt}`
}

function toName({ taskId, attempt, model, kind }: AttemptName): AttemptName {
  return { taskId, attempt, model, kind }
}
