import type { Address, Hash, Hex } from '../domain/hex.ts'
import type { Media } from '../domain/media.ts'
import type { Assignment } from '../domain/signedStructures.ts'
import type { TaskRecord } from '../domain/storePorts.ts'
import { isPipelineContent, openTaskStates, type TaskContent } from '../domain/task.ts'
import { countInputTokens } from './countInputTokens.ts'
import { Notifier } from './notifier.ts'
import type { TaskStream } from './taskStream.ts'

/** The assignment of a running attempt, as it was journalled and sent. */
export interface SignedAssignment {
  assignment: Assignment
  digest: Hash
  signature: Hex
}

/** An open task in memory, beside its record in the store. */
export interface BoardTask {
  /** as last committed */
  record: TaskRecord
  /** null: not in memory, read it from the store */
  content: TaskContent | null
  /** unix ms at which the app's request came in */
  receivedAtMs: number
  /** of the running attempt; null: not in memory, read it from the journal */
  signed: SignedAssignment | null
  /** unix ms; runs ahead of the record while a renewal is being written */
  leaseUntilMs: number
  /** paid units that the running attempt says it has done */
  unitsDone: number
  /** output media that the running attempt handed in, and what they are; null until they are stored */
  readonly mediaHandedIn: Map<Hash, Media | null>
  /** miners that said that no miner can do it */
  fatalBy: readonly Address[]
  /** made when it is first asked for: most queued tasks never are */
  readonly stream: TaskStream
  /** apps that wait for the end or read along */
  watchers: number
  /** an app asked to read along: miners send their tokens as they make them */
  wantsStream: boolean
}

/** True while the task may still change. */
export function isOpen(record: TaskRecord): boolean {
  return openTaskStates.includes(record.state)
}

/** True while a miner holds the task. */
export function isLeased(record: TaskRecord): boolean {
  return record.state === 'assigned' || record.state === 'running'
}

/** Content of open tasks kept in memory, at most; beyond that it is read from the store when it is sent. */
const maxContentBytes = 64 * 1024 * 1024
const bytesPerToken = 8

/** Every open task, and who waits for its end. */
export class TaskBoard {
  readonly #tasks = new Map<Hash, BoardTask>()
  readonly #leased = new Map<Address, Set<BoardTask>>()
  readonly #reserved = new Map<Address, number>()
  readonly #changes = new WeakMap<BoardTask, Notifier>()
  readonly #onEnd: (task: BoardTask) => void
  #contentBytes = 0
  #stopped: 'none' | 'queued' | 'all' = 'none'
  #queued = 0

  constructor(onEnd: (task: BoardTask) => void) {
    this.#onEnd = onEnd
  }

  /** Tasks that no miner holds. */
  get queued(): number {
    return this.#queued
  }

  /** Tasks that a miner holds. */
  get running(): number {
    return this.#tasks.size - this.#queued
  }

  add(
    record: TaskRecord,
    extra: Pick<BoardTask, 'content' | 'receivedAtMs'> & { wantsStream?: boolean; createStream(record: TaskRecord): TaskStream },
  ): BoardTask {
    const { content, receivedAtMs, wantsStream = false, createStream } = extra
    const contentBytes = toContentBytes(content)
    const isKept = this.#contentBytes + contentBytes <= maxContentBytes
    if (isKept) this.#contentBytes += contentBytes
    let stream: TaskStream | undefined
    const task: BoardTask = {
      record,
      content: isKept ? content : null,
      receivedAtMs,
      signed: null,
      leaseUntilMs: record.leaseUntilMs ?? 0,
      unitsDone: 0,
      mediaHandedIn: new Map(),
      fatalBy: [],
      get stream() {
        stream ??= createStream(record)
        return stream
      },
      watchers: 0,
      wantsStream,
    }
    this.#tasks.set(record.id, task)
    this.#count(record, 1, task)
    return task
  }

  find(id: Hash): BoardTask | undefined {
    return this.#tasks.get(id)
  }

  /** Tasks that `miner` holds. */
  listLeased(miner: Address): readonly BoardTask[] {
    return [...(this.#leased.get(miner) ?? [])]
  }

  /** Slots of `miner` that are taken: its leases, and assignments that are being written. */
  countLeased(miner: Address): number {
    return (this.#leased.get(miner)?.size ?? 0) + (this.#reserved.get(miner) ?? 0)
  }

  /** Takes a slot of `miner` until the returned function is called. */
  reserve(miner: Address): () => void {
    this.#reserved.set(miner, (this.#reserved.get(miner) ?? 0) + 1)
    return () => {
      const left = (this.#reserved.get(miner) ?? 0) - 1
      if (left > 0) this.#reserved.set(miner, left)
      else this.#reserved.delete(miner)
    }
  }

  *allLeased(): IterableIterator<BoardTask> {
    for (const tasks of this.#leased.values()) yield* tasks
  }

  /** Takes over what the store committed; at the end of a task, wakes those who wait for it and forgets it. */
  update(task: BoardTask, record: TaskRecord): void {
    // Writes of one task may overtake each other only after its end: what comes then is old.
    if (this.#tasks.get(record.id) !== task) return
    this.#count(task.record, -1, task)
    task.record = record
    if (record.leaseUntilMs !== null) task.leaseUntilMs = Math.max(task.leaseUntilMs, record.leaseUntilMs)
    if (record.state === 'queued') {
      task.signed = null
      task.leaseUntilMs = 0
      task.unitsDone = 0
      task.mediaHandedIn.clear()
    }
    if (isOpen(record)) this.#count(record, 1, task)
    else {
      this.#forget(task)
      this.#onEnd(task)
    }
    this.#changes.get(task)?.notify()
  }

  /** Takes away a task that was never written, if it is here. */
  remove(task: BoardTask): void {
    if (this.#tasks.get(task.record.id) !== task) return
    this.#count(task.record, -1, task)
    this.#forget(task)
  }

  /** Resolves when the task changes, on abort, or after `timeoutMs`. */
  waitForChange(task: BoardTask, signal: AbortSignal, timeoutMs?: number): Promise<void> {
    const changes = this.#changes.get(task) ?? new Notifier()
    this.#changes.set(task, changes)
    return changes.wait(signal, timeoutMs)
  }

  /** The task's record once it has ended, or as it is when `timeoutMs` has passed, the signal aborts, or {@link stopWaiting} was called. */
  async waitForEnd(task: BoardTask, signal: AbortSignal, timeoutMs: number): Promise<TaskRecord> {
    const until = performance.now() + timeoutMs
    task.watchers++
    try {
      while (isOpen(task.record) && !signal.aborted && !this.isGivenUp(task) && performance.now() < until)
        await this.waitForChange(task, signal, Math.ceil(until - performance.now()))
      return task.record
    } finally {
      task.watchers--
    }
  }

  /** Sends those away who wait for a queued task, or for any task at all: the process shuts down. The tasks stay as they are. */
  stopWaiting(which: 'queued' | 'all'): void {
    this.#stopped = which
    for (const task of this.#tasks.values()) {
      if (!this.isGivenUp(task)) continue
      task.stream.abandon()
      this.#changes.get(task)?.notify()
    }
  }

  /** True when nobody waits for this task any more, because the process shuts down. */
  isGivenUp(task: BoardTask): boolean {
    return this.#stopped === 'all' || (this.#stopped === 'queued' && !isLeased(task.record))
  }

  #forget(task: BoardTask): void {
    this.#tasks.delete(task.record.id)
    this.#contentBytes -= toContentBytes(task.content)
  }

  #count(record: TaskRecord, step: 1 | -1, task: BoardTask): void {
    if (!isLeased(record)) {
      this.#queued += step
      return
    }
    const miner = record.miner as Address
    const tasks = this.#leased.get(miner) ?? new Set()
    if (step === 1) this.#leased.set(miner, tasks.add(task))
    else {
      tasks.delete(task)
      if (tasks.size === 0) this.#leased.delete(miner)
    }
  }
}

function toContentBytes(content: TaskContent | null): number {
  if (content === null) return 0
  if (content.kind === 'image') return 2 * (content.input.prompt.length + content.input.negativePrompt.length)
  if (isPipelineContent(content)) return 2 * (content.input.text ?? '').length
  return countInputTokens(content) * bytesPerToken
}
