import type { DeviceName } from '../domain/enginePort.ts'
import type { Address } from '../domain/hex.ts'
import type { BackoffPolicy } from './backoff.ts'
import type { ModelShelfOptions, OfferedModel } from './modelShelf.ts'

/** What an operator decides about a miner. */
export interface MinerConfig {
  models: readonly OfferedModel[]
  /** tasks at a time, over all coordinators, 1–64 */
  slots: number
  /** tasks at a time on a device, where that is fewer: what comes beyond them waits under its lease; left out: as many as `slots` */
  slotsByDevice?: Partial<Record<DeviceName, number>>
  /** what loaded models may take together, by the reckoning of {@link toMemoryBytes}; null: no limit */
  memoryBytes?: number | null
  /** pauses before a model that did not load again is opened once more */
  modelRetryMs?: ModelShelfOptions['retryMs']
  /** names of models that stay loaded when others need memory */
  pinned?: readonly string[]
  /** node addresses or URLs of coordinators to use instead of all that are active on chain; empty: all */
  coordinators: readonly string[]
  /** node addresses of coordinators never to use */
  blocked: readonly Address[]
  /** assignments that pay less per unit are given back */
  minUnitPriceWei: bigint
  /** accepted results that a coordinator may leave without a voucher before this miner stops working for it, at least 1 */
  maxUnpaid: number
  /** vouchers are redeemed, for the operator's gas, as soon as they would pay more than this; null: never by itself */
  redeemAboveWei: bigint | null
  /** lifts the guard against private addresses and plain http: devnet and `--allow-private` */
  allowPrivate: boolean
  /** name and version for the handshake, as `cuckoo/0.1.0` */
  client: string
  /** how the node set is kept current */
  chain: { pollMs: number; confirmations: number }
  timing?: Partial<MinerTiming>
}

/** At most two unpaid results per coordinator. */
export const defaultMaxUnpaid = 2

/** Waiting times, in ms. */
export interface MinerTiming {
  /** longest wait of one poll; a coordinator may ask for less */
  pollWaitMs: number
  /** empty answers come no faster than this, even from a coordinator that does not wait */
  minPollMs: number
  /** tokens of a stream are sent together this often */
  chunkMs: number
  /** between tries of handshake, poll and result */
  backoff: BackoffPolicy
  /** how long the coordinator may take to hand over a task's media, beside the time that their bytes take */
  mediaMs: number
  /** without work for a coordinator that takes results and does not accept them */
  unpaidWork: BackoffPolicy
  /**
   * At the start, how long a session with our key at a coordinator counts as left over from a miner of ours that died: a
   * coordinator ends a silent session after some heartbeats, 30 s at most. After that it is somebody else's, and the miner gives up.
   */
  sessionTakenMs: number
  /** for giving tasks back and closing sessions when the miner stops */
  farewellMs: number
  /** for tasks and results of a coordinator that is no longer active on chain */
  removedGraceMs: number
  /** for a model to let go of a run that nobody wants any more: after that it is not offered until it does, and a miner that stops ends without it */
  letGoMs: number
  /** slots are spread over the coordinators anew after so long */
  rotationMs: number
}

export const defaultMinerTiming: MinerTiming = {
  pollWaitMs: 25_000,
  minPollMs: 250,
  chunkMs: 30,
  backoff: { baseMs: 500, maxMs: 30_000 },
  mediaMs: 120_000,
  unpaidWork: { baseMs: 60_000, maxMs: 3_600_000 },
  sessionTakenMs: 45_000,
  farewellMs: 3_000,
  removedGraceMs: 600_000,
  letGoMs: 120_000,
  rotationMs: 60_000,
}
