import type { NodeSet, NodeSetWatch } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import { toWeight } from '../domain/node.ts'
import type { Clock } from '../domain/ports.ts'
import type { TaskRecord } from '../domain/storePorts.ts'
import { draining, notReady, streamDiverged } from '../errors/api.ts'
import { Admission, type Admitted } from './admission.ts'
import { toTaskError } from './answers.ts'
import { Attempts } from './attempts.ts'
import type { Catalogue } from './catalogue.ts'
import { ContentSweep } from './contentSweep.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import { type Dispatched, Dispatcher } from './dispatcher.ts'
import type { DrawLog } from './drawLog.ts'
import { DrawIntervals } from './drawMiner.ts'
import type { Epochs } from './epochs.ts'
import { Lines } from './lines.ts'
import { MediaShelf } from './mediaShelf.ts'
import { Miners } from './miners.ts'
import { findRefusal, NodeStanding } from './nodeStanding.ts'
import { type BoardTask, isLeased, TaskBoard } from './taskBoard.ts'
import { TaskContents } from './taskContents.ts'
import { TaskStream } from './taskStream.ts'
import { Vouchers } from './vouchers.ts'

/** The parts of a coordinator, joined: what the routes' handlers speak to. */
export class Coordinator {
  readonly ports: CoordinatorPorts
  readonly catalogue: Catalogue
  readonly contents: TaskContents
  readonly shelf: MediaShelf
  readonly sweep: ContentSweep
  readonly board: TaskBoard
  readonly miners: Miners<Dispatched>
  readonly dispatcher: Dispatcher
  readonly attempts: Attempts
  readonly admission: Admission
  readonly standing: NodeStanding
  readonly drawLog: DrawLog
  readonly epochs: Epochs
  readonly lines: Lines
  readonly vouchers: Vouchers
  readonly #intervals = new DrawIntervals()
  isDraining = false

  constructor(ports: CoordinatorPorts, loaded: { catalogue: Catalogue; drawLog: DrawLog; epochs: Epochs; watch: NodeSetWatch; chainClock: Clock }) {
    this.ports = ports
    this.catalogue = loaded.catalogue
    this.drawLog = loaded.drawLog
    this.epochs = loaded.epochs
    this.contents = new TaskContents(ports.store)
    this.shelf = new MediaShelf(ports)
    this.sweep = new ContentSweep(ports)
    this.board = new TaskBoard((task) => this.#observeEnd(task))
    this.miners = new Miners((node) => this.board.countLeased(node))
    const giveBack = async (task: BoardTask, reason: { code: string; message: string }) => {
      await this.attempts.fail(task, reason)
    }
    this.dispatcher = new Dispatcher({
      ports,
      board: this.board,
      miners: this.miners,
      intervals: this.#intervals,
      drawLog: this.drawLog,
      chainClock: loaded.chainClock,
      findEpoch: () => this.epochs.find(),
      getUnitPriceWei: (manifest) => this.catalogue.toUnitPriceWei(this.catalogue.getManifest(manifest)),
      giveBack,
    })
    this.attempts = new Attempts(this)
    this.lines = new Lines(ports, {
      clock: loaded.chainClock,
      listMiners: () => this.#listPaidMiners(),
      getOwed: (miner) => this.vouchers.getOwed(miner),
    })
    this.vouchers = new Vouchers(ports, { clock: loaded.chainClock, findCap: (miner) => this.lines.findCap(miner) })
    this.admission = new Admission({
      ports,
      board: this.board,
      catalogue: this.catalogue,
      miners: this.miners,
      dispatcher: this.dispatcher,
      shelf: this.shelf,
      assertOpen: () => this.assertOpen(),
      createStream: (record) => this.#createStream(record),
    })
    this.standing = new NodeStanding(loaded.watch, (set) => this.#useNodeSet(set))
    this.#useNodeSet(loaded.watch.current())
  }

  /** Puts the store's open tasks back: queued ones in line, leased ones under their lease, with time for their miners to come back. Those of a restored backup are cancelled. */
  async loadOpenTasks(): Promise<void> {
    const { ports } = this
    const nowMs = ports.clock.nowMs()
    const createStream = (record: TaskRecord) => this.#createStream(record)
    for (const record of await ports.store.listOpenTasks()) {
      if (ports.config.restored) {
        await ports.store.cancelTask({ id: record.id, atMs: nowMs })
        continue
      }
      const task = this.board.add(record, { content: null, receivedAtMs: record.createdAtMs, createStream })
      if (isLeased(record)) task.leaseUntilMs = Math.max(task.leaseUntilMs, nowMs + 3 * ports.config.heartbeatMs)
      else this.dispatcher.enqueue(task)
    }
  }

  /** Why this coordinator's own node may not coordinate now, or null. */
  findClosedReason(): string | null {
    const record = this.standing.find(this.ports.node)
    const refusal = findRefusal(record, 'coordinator')
    if (refusal !== null) return `its node ${this.ports.node} may not coordinate: ${refusal}`
    return record?.operator === this.ports.signer.address ? null : 'its operator key was replaced on chain: it must be started with the new key'
  }

  /** @throws CUCKOO_COORDINATOR_DRAINING, or CUCKOO_COORDINATOR_NOT_READY while the coordinator's own bond is not in order */
  assertOpen(): void {
    if (this.isDraining) throw draining({})
    const reason = this.findClosedReason()
    if (reason !== null) throw notReady({ reason })
  }

  /** @throws what became of a task that is not done */
  assertDone(record: TaskRecord, waitedMs: number): void {
    if (record.state !== 'done') throw toTaskError(record, { waitedMs, isDraining: this.isDraining })
  }

  /** The task's record once it has ended, or as it is after `timeoutMs`. */
  async waitForEnd({ record, task }: Admitted, signal: AbortSignal, timeoutMs: number): Promise<TaskRecord> {
    return task === null ? record : this.board.waitForEnd(task, signal, timeoutMs)
  }

  /**
   * The text of an open task piece by piece, until it has ended.
   * @throws CUCKOO_TASK_STREAM_DIVERGED when a second miner's text does not continue the first one's
   */
  async *readText(task: BoardTask, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    task.watchers++
    task.wantsStream = true
    try {
      yield* task.stream.read(signal)
      if (task.stream.hasDiverged) throw streamDiverged({ taskId: task.record.id })
    } finally {
      task.watchers--
    }
  }

  /** Cancels an open task. Null when it has ended already. */
  async cancel(task: BoardTask): Promise<TaskRecord | null> {
    const record = await this.ports.store.cancelTask({ id: task.record.id, atMs: this.ports.clock.nowMs() })
    if (record === null) return null
    const holder = isLeased(task.record) ? task.record.miner : null
    this.dispatcher.remove(task)
    this.board.update(task, record)
    this.offerTo(holder)
    return record
  }

  /** A slot of this miner came free. */
  offerTo(node: Address | null): void {
    const miner = node === null ? undefined : this.miners.findByNode(node)
    if (miner !== undefined) this.dispatcher.offer(miner)
  }

  #createStream(record: TaskRecord): TaskStream {
    return new TaskStream(record.id, async () => {
      const [tokenizer, { params }] = await Promise.all([this.catalogue.getTokenizer(record.manifest), this.contents.read(record)])
      return { tokenizer, stop: 'stop' in params ? params.stop : [] }
    })
  }

  *#listPaidMiners(): Generator<Address> {
    for (const miner of this.miners.list()) if (miner.refusal === null && miner.models.some((model) => model.unitPriceWei > 0n)) yield miner.session.node
  }

  #useNodeSet(set: NodeSet): void {
    const weights = new Map<Address, bigint>()
    for (const [node, record] of set.nodes) if (findRefusal(record, 'miner') === null) weights.set(node, toWeight(record))
    this.#intervals.set(weights)
    this.miners.reassess((node) => set.nodes.get(node))
    for (const miner of this.miners.list()) this.dispatcher.offer(miner)
  }

  #observeEnd(task: BoardTask): void {
    const { record } = task
    const { metrics, clock } = this.ports
    if (record.state !== 'done') task.stream.abandon()
    metrics.tasksEnded.inc({ kind: record.kind, state: record.state })
    if (record.state === 'done') metrics.taskSeconds.observe({ kind: record.kind }, Math.max(0, clock.nowMs() - task.receivedAtMs) / 1000)
  }
}
