import type { Address, Hash } from '../domain/hex.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import type { AttemptName } from './minerEvents.ts'

/**
 * `standby`: no slot for it now; `connecting`: handshake under way; `open`: polling or working; `retrying`: it did not answer
 * well and is tried again; `draining`: no new tasks, running ones end; `ended`.
 */
export type SessionState = 'standby' | 'connecting' | 'open' | 'retrying' | 'draining' | 'ended'

export interface RunningTask extends AttemptName {
  /** unix ms */
  startedAtMs: number
  unitsDone: number
  maxUnits: bigint
  /** the model is done, the result is on its way */
  delivering: boolean
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
