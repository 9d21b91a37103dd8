import type { DeviceName } from '../domain/enginePort.ts'
import type { Address } from '../domain/hex.ts'
import type { MinerTiming } from './minerTiming.ts'
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
