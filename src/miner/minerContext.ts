import type { ChainReader, NodeSet, NodeSetWatch, PaymentWriter } from '../domain/chainPort.ts'
import { createChainClock } from '../domain/chainTime.ts'
import type { Address } from '../domain/hex.ts'
import type { Clock } from '../domain/ports.ts'
import type { MinerStore } from '../domain/storePorts.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MinerMetrics } from '../telemetry/metrics.ts'
import type { CrashBook } from './crashBook.ts'
import { createEngineLoad, type EngineLoad } from './engineLoad.ts'
import type { LagMeter } from './lagMeter.ts'
import type { MinerConfig } from './minerConfig.ts'
import type { MinerEvents } from './minerEvents.ts'
import { defaultMinerTiming, type MinerTiming } from './minerTiming.ts'
import type { MinerIdentity } from './openCoordinatorSession.ts'
import { createTurns, type Turns } from './turns.ts'
import { createWakeList, type WakeList } from './wakeList.ts'

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
  /** of coordinators with books, as they were at the start */
  paymentFactors: ReadonlyMap<Address, number>
  timing: MinerTiming
  getNodeSet(): NodeSet
  /** slots are spread anew at each: no poll waits longer */
  turns: Turns
  engineLoad: EngineLoad
  crashes: CrashBook
  events: MinerEvents
  logger: Logger
  metrics: MinerMetrics
  /** a metric's label for a coordinator's words: those of a peer without end would fill the memory */
  toReasonLabel(reason: string): string
  /** told whenever slots, tasks or sessions change */
  changed: WakeList
}

/** Distinct reasons of empty polls that the metric tells apart. */
const maxReasonLabels = 20

type ContextParts = Pick<
  MinerContext,
  'node' | 'signer' | 'verifier' | 'chain' | 'store' | 'clock' | 'logger' | 'metrics' | 'events' | 'shelf' | 'crashes' | 'paymentFactors'
> & {
  config: MinerConfig
  watch: NodeSetWatch
  lag: LagMeter
  random: () => number
}

/** What the coordinators of a miner share, before there is one. */
export function createMinerContext({ config, watch, lag, random, ...rest }: ContextParts): MinerContext {
  const labels = new Set<string>()
  const { slots, client, allowPrivate, minUnitPriceWei, maxUnpaid, redeemAboveWei } = config
  const timing = { ...defaultMinerTiming, ...config.timing }
  return {
    ...rest,
    slots,
    client,
    allowPrivate,
    minUnitPriceWei,
    maxUnpaid,
    redeemAboveWei,
    timing,
    chainClock: createChainClock(rest.clock, () => watch.current().blockTimestamp),
    domainSeparator: rest.chain.domainSeparator,
    refreshMs: config.chain.pollMs,
    findVoucher: async (coordinator) => (await rest.store.listPayments()).find((payments) => payments.coordinator === coordinator)?.voucher ?? null,
    getNodeSet: () => watch.current(),
    turns: createTurns(timing.rotationMs, random),
    engineLoad: createEngineLoad({ slots, lag, shelf: rest.shelf, metrics: rest.metrics }),
    changed: createWakeList(),
    toReasonLabel(reason) {
      if (labels.size < maxReasonLabels) labels.add(reason)
      return labels.has(reason) ? reason : 'other'
    },
  }
}
