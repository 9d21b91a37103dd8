import type { MinerMetrics } from '../telemetry/metrics.ts'
import { createGate } from './gate.ts'
import type { LagMeter } from './lagMeter.ts'
import type { ModelShelf } from './modelShelf.ts'

/** Tasks that run, over all coordinators. */
export interface EngineLoad {
  /** those that still wait for their media, or for a slot, among them */
  readonly running: number
  /** Slots that are free: of the miner, but for those that tasks wait for, and of the devices of its models. */
  countFree(): number
  /** One task more, until the returned function is called. */
  begin(): () => void
  /** A slot, until the returned function is called; waits while none is free. @throws the signal's reason when it aborts first */
  takeSlot(signal: AbortSignal): Promise<() => void>
}

/** A load of nothing; while tasks run, `lag` measures and `metrics` show it. */
export function createEngineLoad(parts: { slots: number; shelf: ModelShelf; lag: LagMeter; metrics: MinerMetrics }): EngineLoad {
  const { slots, shelf, lag, metrics } = parts
  const gate = createGate(slots)
  let running = 0
  return {
    get running() {
      return running
    },
    countFree: () => Math.min(slots - gate.inside - gate.waiting, shelf.countRoom()),
    takeSlot: (signal) => gate.enter(signal),
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
