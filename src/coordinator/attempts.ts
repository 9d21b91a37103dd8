import type { Address, Hash } from '../domain/hex.ts'
import type { TaskRecord } from '../domain/storePorts.ts'
import type { AttemptFailure } from '../domain/task.ts'
import { leaseLost } from '../errors/api.ts'
import { leaseExpired, minerLeft, taskContentMissing } from '../errors/coordinator.ts'
import { toCuckooError } from '../errors/internal.ts'
import { decodeSignedAssignment, toLeaseMs } from './assignments.ts'
import { toNextState } from './candidates.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import type { Dispatched, Dispatcher } from './dispatcher.ts'
import type { Miners } from './miners.ts'
import { type BoardTask, isLeased, type SignedAssignment, type TaskBoard } from './taskBoard.ts'

interface Parts {
  ports: CoordinatorPorts
  board: TaskBoard
  miners: Miners<Dispatched>
  dispatcher: Dispatcher
}

/** Why an attempt ended, as it is kept. */
export interface Reason {
  code: string
  message: string
}

/** Attempts under way: who holds which task, for how long, and what becomes of it without a result. */
export class Attempts {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The task, when `miner` holds it in this attempt. */
  findHeld(taskId: Hash, attempt: number, miner: Address): BoardTask | undefined {
    const task = this.#parts.board.find(taskId)
    return task !== undefined && isLeased(task.record) && task.record.attempt === attempt && task.record.miner === miner ? task : undefined
  }

  /** The assignment that the miner was sent, from memory or from the journal. */
  async getSigned(task: BoardTask): Promise<SignedAssignment> {
    if (task.signed !== null) return task.signed
    const { id, attempt } = task.record
    const bytes = await this.#parts.ports.store.getSignedAssignment(id, attempt)
    if (bytes === null) throw taskContentMissing({ taskId: id, hash: `assignment ${attempt}` })
    task.signed = decodeSignedAssignment(this.#parts.ports.chain.domainSeparator, bytes)
    return task.signed
  }

  /**
   * Renews the lease, never beyond the assignment's deadline. Returns its length in ms, and true when nobody wants the result.
   * `unitsDone` is what apps that watch see, where the miner says it.
   * @throws CUCKOO_TASK_LEASE_LOST when the miner does not hold the task in this attempt
   */
  async renew(taskId: Hash, attempt: number, miner: Address, unitsDone = 0): Promise<{ leaseMs: number; cancel: boolean }> {
    const task = this.findHeld(taskId, attempt, miner)
    if (task === undefined) return this.#findCancelled(taskId, attempt, miner)
    const { ports, board, miners } = this.#parts
    const { assignment } = await this.getSigned(task)
    const speed = miners.findByNode(miner)?.models.find((model) => model.digest === task.record.manifest)?.unitsPerSecond ?? 0
    const nowMs = ports.clock.nowMs()
    const leaseUntilMs = Math.min(nowMs + toLeaseMs({ config: ports.config, record: task.record, unitsPerSecond: speed }), Number(assignment.deadline) * 1000)
    if (leaseUntilMs <= nowMs) throw leaseLost({ taskId, attempt })
    task.leaseUntilMs = leaseUntilMs
    task.unitsDone = Math.max(task.unitsDone, unitsDone)
    const renewed = await ports.store.renewLease({ id: taskId, attempt, leaseUntilMs })
    if (renewed === null) return this.#findCancelled(taskId, attempt, miner)
    board.update(task, renewed)
    return { leaseMs: leaseUntilMs - nowMs, cancel: false }
  }

  async #findCancelled(taskId: Hash, attempt: number, miner: Address): Promise<{ leaseMs: number; cancel: boolean }> {
    const record = await this.#parts.ports.store.getTask(taskId)
    if (record?.state === 'cancelled' && record.attempt === attempt && record.miner === miner) return { leaseMs: 0, cancel: true }
    throw leaseLost({ taskId, attempt })
  }

  /** Ends the attempt with its reason: the task is queued again, at the front, or dead when nobody is left to try. */
  async fail(task: BoardTask, reason: Reason): Promise<TaskRecord | null> {
    const failure = this.#toFailure(task, reason)
    const failures = [...task.record.failures, failure]
    return this.#end(task, failure, toNextState(failures, this.#listCandidates(task)))
  }

  /** Like {@link fail}, by a miner that says that no miner can do it: the task has failed once two miners say so, or the only one there. */
  async failForGood(task: BoardTask, reason: Reason): Promise<TaskRecord | null> {
    const failure = this.#toFailure(task, reason)
    task.fatalBy = [...new Set([...task.fatalBy, failure.miner])]
    const others = this.#listCandidates(task).filter((node) => !task.fatalBy.includes(node))
    if (task.fatalBy.length >= 2 || others.length === 0) return this.#end(task, failure, 'failed')
    return this.#end(task, failure, toNextState([...task.record.failures, failure], this.#listCandidates(task)))
  }

  /** Ends every lease that has run out. */
  expireLeases(): void {
    const nowMs = this.#parts.ports.clock.nowMs()
    const expired = [...this.#parts.board.allLeased()].filter((task) => task.leaseUntilMs <= nowMs)
    for (const task of expired) this.#failInBackground(task, leaseExpired({ miner: task.record.miner as Address }))
  }

  /** Gives the tasks of a miner that left to others. */
  giveUpLeases(miner: Address): void {
    for (const task of this.#parts.board.listLeased(miner)) this.#failInBackground(task, minerLeft({ miner }))
  }

  #failInBackground(task: BoardTask, reason: Reason): void {
    // Looked at again at the next sweep should the write fail.
    task.leaseUntilMs = this.#parts.ports.clock.nowMs() + 1_000
    this.fail(task, reason).catch((error: unknown) => {
      this.#parts.ports.logger.error({ err: toCuckooError(error), taskId: task.record.id }, 'the end of an attempt could not be written')
    })
  }

  #toFailure(task: BoardTask, { code, message }: Reason): AttemptFailure {
    const { attempt, miner } = task.record
    return { attempt, miner: miner as Address, code, message, at: Math.floor(this.#parts.ports.clock.nowMs() / 1000) }
  }

  #listCandidates(task: BoardTask): Address[] {
    const { targetMiner, manifest } = task.record
    const nodes = this.#parts.miners.listOffering(manifest).map((miner) => miner.session.node)
    return targetMiner === null ? nodes : nodes.filter((node) => node === targetMiner)
  }

  async #end(task: BoardTask, failure: AttemptFailure, next: 'queued' | 'failed' | 'dead'): Promise<TaskRecord | null> {
    const { ports, board, dispatcher, miners } = this.#parts
    const { attempt, miner } = failure
    const record = await ports.store.endAttempt({ id: task.record.id, attempt, next, failure, atMs: ports.clock.nowMs() })
    if (record === null) return null
    ports.metrics.attemptsEnded.inc({ code: failure.code })
    ports.logger.warn({ taskId: record.id, attempt, miner, code: failure.code, next }, 'an attempt ended without a result')
    board.update(task, record)
    if (next === 'queued') dispatcher.enqueue(task)
    const freed = miners.findByNode(miner)
    if (freed !== undefined) dispatcher.offer(freed)
    return record
  }
}
