import type { DeviceName } from '../domain/enginePort.ts'
import type { Address, Hash } from '../domain/hex.ts'
import type { ModelKind, TaskKind } from '../domain/taskKinds.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import type { AttemptName } from './minerEvents.ts'

/**
 * `standby`: no slot for it now; `connecting`: handshake under way; `open`: polling or working; `retrying`: it did not answer
 * well and is tried again; `paused`: no more work for it until it pays, raises its line, or is tried again; `draining`: no new tasks, running ones end; `ended`.
 */
export type SessionState = 'standby' | 'connecting' | 'open' | 'paused' | 'retrying' | 'draining' | 'ended'

export interface RunningTask extends AttemptName {
  /** unix ms */
  startedAtMs: number
  unitsDone: number
  maxUnits: bigint
  /** the model is done, the result is on its way */
  delivering: boolean
}

/** What stands between this miner and a coordinator. */
export interface PaymentState {
  /** prices of accepted results over all time */
  owedWei: bigint
  /** accepted results that the newest voucher does not cover */
  unpaidResults: number
  /** what the newest voucher adds up to, over all time */
  voucherWei: bigint
  /** what redeeming it would bring now */
  redeemableWei: bigint
  /** what the line on chain still lets this miner earn; null: not read yet */
  lineLeftWei: bigint | null
}

/** One coordinator as this miner sees it. */
export interface CoordinatorState {
  node: Address | null
  url: string
  weightWei: bigint
  /** 0.25 (does not pay) to 1 (pays in time, or new): what the weight counts with when slots are spread */
  paymentFactor: number
  session: SessionState
  sessionId: Hash | null
  /** its share of the slots now; shares are drawn anew every minute */
  slots: number
  /** why the last poll brought nothing, in the coordinator's words */
  lastReasons: string[]
  /** why there is no session, or why the last poll failed; null: all is well */
  lastError: CuckooError | null
  tasksDone: number
  tasksFailed: number
  /** agreed price of the results accepted since the start */
  earnedWei: bigint
  /** null: no session yet */
  payments: PaymentState | null
  tasks: RunningTask[]
}

/** Why a model is not offered now. */
export interface WithheldState {
  /** what went wrong, for the operator: it may name files of this machine */
  reason: string
  /** when it is opened again, unix ms; null: not before the miner is restarted */
  retryAtMs: number | null
}

/** `loading` and `unloaded` models are offered all the same, unless they are `withheld`: a task that needs one loads it. */
export interface ModelState {
  model: string
  manifest: Hash
  kind: ModelKind
  dtype: string
  device: DeviceName
  deviceReason: string
  /** paid units per second at warm-up; 0: unknown */
  unitsPerSecond: number
  state: 'loaded' | 'loading' | 'unloaded'
  /** stays loaded while the miner is not paused */
  pinned: boolean
  /** what it is reckoned to take of the memory while it is loaded */
  memoryBytes: number
  /** tasks in it now */
  running: number
  /** null: it is offered */
  withheld: WithheldState | null
}

/** What a device does. */
export interface DeviceState {
  device: DeviceName
  /** tasks on it now, and those that wait for it */
  running: number
  waiting: number
  /** null: as many as the miner has */
  slots: number | null
}

/** What became of the tasks of one kind since the start. */
export interface KindState {
  kind: TaskKind
  tasksDone: number
  tasksFailed: number
  units: bigint
  /** units per second of time in the model, over all tasks; 0: none yet */
  unitsPerSecond: number
  earnedWei: bigint
  /** of the newest tasks; null: none yet */
  inferenceMs: { p50: number; p95: number } | null
}

/** A task in whose run the process, or the model's worker, ended: it is not run here again for a day. */
export interface CrashState {
  taskId: Hash
  attempt: number
  coordinator: Address
  model: string
  manifest: Hash
  /** unix ms */
  atMs: number
  /** the coordinator was told, or knew */
  reported: boolean
}

/** How late the event loop was while tasks ran, in ms, since the start; zeros before the first one. */
export interface LagState {
  p50Ms: number
  p99Ms: number
  maxMs: number
}

/** A running miner, for status output. */
export interface MinerState {
  node: Address
  operator: Address
  /** unix ms */
  startedAtMs: number
  uptimeMs: number
  /** `paused`: no new tasks until it is resumed; running ones end, then all models are unloaded */
  phase: 'running' | 'paused' | 'draining' | 'stopped'
  /** why it is paused */
  pauseReason: string | null
  slots: number
  /** devices of the models that are offered */
  devices: DeviceState[]
  memory: {
    /** reckoned, of the loaded models */
    usedBytes: number
    /** null: no limit */
    budgetBytes: number | null
  }
  eventLoopLag: LagState
  /** kinds that there were tasks of */
  kinds: KindState[]
  /** newest first */
  crashedTasks: CrashState[]
  /** the newest error of any event; null: none yet */
  lastError: { atMs: number; error: CuckooError } | null
  /** age of the node set read from the chain */
  nodeSetAgeMs: number
  models: ModelState[]
  coordinators: CoordinatorState[]
}
