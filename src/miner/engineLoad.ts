import type { MinerMetrics } from '../telemetry/metrics.ts'
import type { LagMeter } from './lagMeter.ts'
import type { ModelShelf } from './modelShelf.ts'

/** Tasks that run, over all coordinators. */
export interface EngineLoad {
  readonly running: number
  /** Slots that are free: of the miner, and of the devices of its models. */
  countFree(): number
  /** One task more, until the returned function is called. */
  begin(): () => void
}

/** A load of nothing; while tasks run, `lag` measures and `metrics` show it. */
export function createEngineLoad(parts: { slots: number; shelf: ModelShelf; lag: LagMeter; metrics: MinerMetrics }): EngineLoad {
  const { slots, shelf, lag, metrics } = parts
  let running = 0
  return {
    get running() {
      return running
    },
    countFree: () => Math.min(slots - running, shelf.countRoom()),
    begin() {
      metrics.tasksRunning.set(++running)
      const stopWatching = lag.watch()
      return () => {
        stopWatching()
        metrics.tasksRunning.set(--running)
        const { p50Ms, p99Ms, maxMs } = lag.getState()
        metrics.eventLoopLag.set({ statistic: 'p50' }, p50Ms / 1_000)
        metrics.eventLoopLag.set({ statistic: 'p99' }, p99Ms / 1_000)
        metrics.eventLoopLag.set({ statistic: 'max' }, maxMs / 1_000)
      }
    },
  }
}
