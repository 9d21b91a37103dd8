import type { Address, Hash } from '../domain/hex.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import type { AttemptName } from './minerEvents.ts'

/**
 * `standby`: no slot for it now; `connecting`: handshake under way; `open`: polling or working; `retrying`: it did not answer
 * well and is tried again; `paused`: no more work for it until it pays, or raises its line; `draining`: no new tasks, running ones end; `ended`.
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
  session: SessionState
  sessionId: Hash | null
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

export interface ModelState {
  model: string
  manifest: Hash
  dtype: string
  device: string
  deviceReason: string
  unitsPerSecond: number
}

/** A running miner, for status output. */
export interface MinerState {
  node: Address
  operator: Address
  /** unix ms */
  startedAtMs: number
  phase: 'running' | 'draining' | 'stopped'
  slots: number
  /** age of the node set read from the chain */
  nodeSetAgeMs: number
  models: ModelState[]
  coordinators: CoordinatorState[]
}
