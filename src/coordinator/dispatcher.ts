import type { Address, Hash } from '../domain/hex.ts'
import type { Clock } from '../domain/ports.ts'
import type { DrawEpoch, TaskRecord } from '../domain/storePorts.ts'
import { minerGone } from '../errors/coordinator.ts'
import { toCuckooError } from '../errors/internal.ts'
import { createAssignment, encodeSignedAssignment, toLeaseMs } from './assignments.ts'
import { mayTry } from './candidates.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import type { DrawLog } from './drawLog.ts'
import { type Draw, type DrawIntervals, drawMiner } from './drawMiner.ts'
import { isPaidEnough, type Miner, type Miners, type ModelPool, type OpenPoll } from './miners.ts'
import type { BoardTask, SignedAssignment, TaskBoard } from './taskBoard.ts'
import { TaskQueue } from './taskQueue.ts'

/** A task on its way to the miner that was drawn. */
export interface Dispatched {
  task: BoardTask
  signed: SignedAssignment
  leaseMs: number
}
export type TaskMiner = Miner<Dispatched>
export type TaskPoll = OpenPoll<Dispatched>

/** Tasks of one model that wait. Those with a past or a wish are looked at one by one, the rest goes strictly in order. */
interface ModelQueue {
  /** failed before, or made when the model had another price: first in line */
  special: TaskQueue<BoardTask>
  fresh: TaskQueue<BoardTask>
  targeted: Map<Address, TaskQueue<BoardTask>>
}

const pauseAfterFailureMs = 500

export interface DispatcherParts {
  ports: CoordinatorPorts
  board: TaskBoard
  miners: Miners<Dispatched>
  intervals: DrawIntervals
  drawLog: DrawLog
  /** the chain's time, which assignments are dated by */
  chainClock: Clock
  /** the epoch to draw in now; undefined: nothing is drawn */
  findEpoch(): DrawEpoch | undefined
  /** what a unit of this model pays now */
  getUnitPriceWei(manifest: Hash): bigint
  /** ends an attempt that never reached its miner */
  giveBack(task: BoardTask, code: { code: string; message: string }): Promise<void>
}

/** Draws a miner among those that wait for each task, signs and journals the assignment, and only then hands it over. */
export class Dispatcher {
  readonly #parts: DispatcherParts
  readonly #queues = new Map<Hash, ModelQueue>()
  #inFlight = 0
  /** an assignment could not be written: the draw log in memory is ahead of the store's */
  #isBroken = false
  #isStopped = false

  constructor(parts: DispatcherParts) {
    this.#parts = parts
  }

  /** Puts a queued task in line (one that failed before goes to the front) and hands out what can be. */
  enqueue(task: BoardTask): void {
    const queue = this.#getQueue(task.record.manifest)
    if (this.#isSpecial(task.record)) queue.special.pushBack(task)
    else this.#getFreshLine(queue, task).pushBack(task)
    this.dispatch(task.record.manifest)
  }

  #isSpecial({ failures, manifest, unitPriceWei }: TaskRecord): boolean {
    return failures.length > 0 || unitPriceWei !== this.#parts.getUnitPriceWei(manifest)
  }

  /** Takes a task out of line. */
  remove(task: BoardTask): void {
    const queue = this.#queues.get(task.record.manifest)
    if (queue === undefined) return
    const { targetMiner } = task.record
    if (!queue.special.remove(task)) (targetMiner === null ? queue.fresh : queue.targeted.get(targetMiner))?.remove(task)
    if (targetMiner !== null && queue.targeted.get(targetMiner)?.size === 0) queue.targeted.delete(targetMiner)
    if (countQueued(queue) === 0) this.#queues.delete(task.record.manifest)
  }

  /** Tasks in line by manifest digest. */
  countByModel(): Map<Hash, number> {
    return new Map([...this.#queues].map(([digest, queue]) => [digest, countQueued(queue)]))
  }

  /** A poll was opened, or a slot came free: hands out the tasks of the miner's models, the longest waiting first. */
  offer(miner: TaskMiner): void {
    this.#parts.miners.refresh(miner)
    const queued = miner.models.filter((model) => this.#queues.has(model.digest))
    queued.sort((a, b) => this.#oldestMs(a.digest) - this.#oldestMs(b.digest))
    for (const { digest } of queued) this.dispatch(digest)
  }

  /** Hands out every task of the model that a waiting miner may run. */
  dispatch(digest: Hash): void {
    if (this.#isStopped || this.#isBroken || this.#parts.findEpoch() === undefined) return
    const queue = this.#queues.get(digest)
    const pool = this.#parts.miners.findPool(digest)
    if (queue === undefined || pool === undefined) return
    for (const task of queue.special) {
      if (pool.waiting.size === 0) return
      this.#tryDraw(task, pool, toCandidates(task.record, pool))
    }
    if (queue.targeted.size > 0) this.#dispatchTargeted(queue, pool)
    while (pool.waiting.size > 0 && queue.fresh.first !== undefined) if (!this.#tryDraw(queue.fresh.first, pool, pool.waiting)) return
  }

  /** Hands out every task that can be. */
  dispatchAll(): void {
    for (const digest of [...this.#queues.keys()]) this.dispatch(digest)
  }

  /** Hands out nothing more. */
  stop(): void {
    this.#isStopped = true
  }

  #dispatchTargeted(queue: ModelQueue, pool: ModelPool<Dispatched>): void {
    for (const [node, miner] of [...pool.waiting]) {
      const line = queue.targeted.get(node)
      while (line?.first !== undefined && pool.waiting.has(node)) if (!this.#tryDraw(line.first, pool, new Map([[node, miner]]))) return
    }
  }

  #tryDraw(task: BoardTask, pool: ModelPool<Dispatched>, candidates: ReadonlyMap<Address, TaskMiner>): boolean {
    const { intervals, findEpoch } = this.#parts
    const epoch = findEpoch()
    if (epoch === undefined) return false
    const draw = drawMiner({ intervals, candidates, secret: epoch.secret, taskKey: task.record.taskKey })
    const miner = draw && candidates.get(draw.miner)
    const poll = miner?.polls.values().next().value
    if (draw === undefined || miner === undefined || poll === undefined) return false
    const waiting = candidates === pool.waiting ? pool : { weightWei: sumWeights(candidates), waiting: candidates }
    const drawn = { totalWeightWei: waiting.weightWei, waiting: waiting.waiting.size, commitment: epoch.commitment, draw }
    pool.draws++
    this.remove(task)
    miner.polls.delete(poll)
    poll.hold()
    void this.#assign(task, miner, poll, drawn)
    return true
  }

  async #assign(
    task: BoardTask,
    miner: TaskMiner,
    poll: TaskPoll,
    drawn: { totalWeightWei: bigint; waiting: number; commitment: Hash; draw: Draw },
  ): Promise<void> {
    const { ports, board, miners, drawLog, chainClock } = this.#parts
    const { record } = task
    const atMs = ports.clock.nowMs()
    const attempt = record.attempt + 1
    const { draw, ...weights } = drawn
    const { record: drawRecord, drawRef } = drawLog.append({ taskId: record.id, attempt, miner: draw.miner, k: draw.k, atMs, ...weights })
    const signed = createAssignment({ ports, record, attempt, miner: draw.miner, drawRef, nowMs: chainClock.nowMs() })
    const leaseMs = toLeaseMs({ config: ports.config, record, unitsPerSecond: findSpeed(miner, record.manifest) })
    this.#inFlight++
    // Counts against the miner's slots from here on, so that it is not drawn twice for one slot while the write is under way.
    const release = board.reserve(draw.miner)
    miners.refresh(miner)
    let assigned: TaskRecord | null = null
    try {
      assigned = await ports.store.assignTask({
        id: record.id,
        attempt,
        miner: draw.miner,
        leaseUntilMs: atMs + leaseMs,
        assignmentDigest: signed.digest,
        signedAssignment: encodeSignedAssignment(signed),
        draw: drawRecord,
      })
    } catch (error) {
      this.#isBroken = true
      ports.logger.error({ err: toCuckooError(error), taskId: record.id }, 'an assignment could not be written; the task goes back in line')
      if (board.find(record.id) === task) this.#getQueue(record.manifest).special.pushBack(task)
    }
    release()
    this.#inFlight--
    if (assigned === null) this.#takeBack(miner, poll)
    else this.#handOver({ task, signed, leaseMs }, assigned, poll)
    if (this.#isBroken && this.#inFlight === 0) this.#pause(() => drawLog.reload())
  }

  #handOver(dispatched: Dispatched, assigned: TaskRecord, poll: TaskPoll): void {
    const { ports, board, giveBack } = this.#parts
    const { task, signed } = dispatched
    task.signed = signed
    board.update(task, assigned)
    if (poll.answer({ task: dispatched })) {
      ports.metrics.dispatchSeconds.observe(Math.max(0, ports.clock.nowMs() - task.receivedAtMs) / 1000)
      return
    }
    const error = minerGone({ miner: signed.assignment.miner })
    giveBack(task, error).catch((cause: unknown) => ports.logger.error({ err: toCuckooError(cause), taskId: assigned.id }, 'a task could not be given back'))
  }

  #takeBack(miner: TaskMiner, poll: TaskPoll): void {
    const { miners } = this.#parts
    if (miners.find(miner.session) !== miner) return void poll.answer({ reason: 'your session has ended' })
    miner.polls.add(poll)
    poll.resume()
    this.offer(miner)
  }

  // After a failed write nothing is drawn until the log is as the store has it; a full disk is not asked again at once.
  #pause(repair: () => Promise<void>): void {
    this.#isBroken = true
    const resume = async () => {
      try {
        await repair()
        this.#isBroken = false
        this.dispatchAll()
      } catch (error) {
        this.#parts.ports.logger.error({ err: toCuckooError(error) }, 'the draw log cannot be read')
        this.#pause(repair)
      }
    }
    setTimeout(resume, pauseAfterFailureMs).unref()
  }

  #getQueue(digest: Hash): ModelQueue {
    const queue = this.#queues.get(digest) ?? { special: new TaskQueue<BoardTask>(), fresh: new TaskQueue<BoardTask>(), targeted: new Map() }
    this.#queues.set(digest, queue)
    return queue
  }

  #getFreshLine(queue: ModelQueue, task: BoardTask): TaskQueue<BoardTask> {
    const { targetMiner } = task.record
    if (targetMiner === null) return queue.fresh
    const line = queue.targeted.get(targetMiner) ?? new TaskQueue<BoardTask>()
    queue.targeted.set(targetMiner, line)
    return line
  }

  #oldestMs(digest: Hash): number {
    const queue = this.#queues.get(digest)
    return queue?.special.first?.record.createdAtMs ?? queue?.fresh.first?.record.createdAtMs ?? Number.MAX_SAFE_INTEGER
  }
}

function countQueued(queue: ModelQueue): number {
  let count = queue.special.size + queue.fresh.size
  for (const line of queue.targeted.values()) count += line.size
  return count
}

function toCandidates(record: TaskRecord, pool: ModelPool<Dispatched>): ReadonlyMap<Address, TaskMiner> {
  const offering = [...pool.offering].filter((miner) => miner.refusal === null).map((miner) => miner.session.node)
  return new Map(
    [...pool.waiting].filter(
      ([node, miner]) =>
        isPaidEnough(miner, record) &&
        (record.targetMiner === null || record.targetMiner === node) &&
        mayTry(node, record.failures, record.targetMiner === null ? offering : []),
    ),
  )
}

function sumWeights(candidates: ReadonlyMap<Address, { weightWei: bigint }>): bigint {
  let sum = 0n
  for (const { weightWei } of candidates.values()) sum += weightWei
  return sum
}

function findSpeed(miner: TaskMiner, digest: Hash): number {
  return miner.models.find((model) => model.digest === digest)?.unitsPerSecond ?? 0
}
