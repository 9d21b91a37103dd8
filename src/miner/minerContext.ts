import type { ChainReader, NodeSet, PaymentWriter } from '../domain/chainPort.ts'
import type { Clock } from '../domain/ports.ts'
import type { MinerStore } from '../domain/storePorts.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MinerMetrics } from '../telemetry/metrics.ts'
import type { MinerTiming } from './minerConfig.ts'
import type { MinerEvents } from './minerEvents.ts'
import type { Notifier } from './notifier.ts'
import type { MinerIdentity } from './openCoordinatorSession.ts'

/** Reading the chain, and redeeming vouchers where the operator asked for it. */
export type MinerChain = ChainReader & Pick<PaymentWriter, 'redeem'>

/** What all coordinators of a miner share. */
export interface MinerContext extends MinerIdentity {
  store: MinerStore
  chain: MinerChain
  /** the chain's time, which assignments and vouchers are dated by */
  chainClock: Clock
  /** how often the node set is read, and what holds up work is looked at again */
  refreshMs: number
  /** results that a coordinator may leave unpaid */
  maxUnpaid: number
  /** vouchers are redeemed as soon as they would pay more than this; null: by hand */
  redeemAboveWei: bigint | null
  timing: MinerTiming
  getNodeSet(): NodeSet
  /** tasks in a model now, over all coordinators */
  engineLoad: { running: number }
  events: MinerEvents
  logger: Logger
  metrics: MinerMetrics
  /** a metric's label for a coordinator's words: those of a peer without end would fill the memory */
  toReasonLabel(reason: string): string
  /** told whenever slots, tasks or sessions change */
  changed: Notifier
}
