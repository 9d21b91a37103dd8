import type { NodeSet } from '../domain/chainPort.ts'
import type { MinerStore } from '../domain/storePorts.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MinerMetrics } from '../telemetry/metrics.ts'
import type { MinerTiming } from './minerConfig.ts'
import type { MinerEvents } from './minerEvents.ts'
import type { Notifier } from './notifier.ts'
import type { MinerIdentity } from './openCoordinatorSession.ts'

/** What all coordinators of a miner share. */
export interface MinerContext extends MinerIdentity {
  store: MinerStore
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
