import { createHistogram } from 'node:perf_hooks'
import type { LagState } from './minerState.ts'

/** Samples are taken so often while somebody watches: each wakes a core that the model may be computing on (at 5 ms an image took 4 % longer on two cores). */
const sampleMs = 50

/** How late the event loop is, measured while at least one task runs. */
export interface LagMeter {
  /** Measures until the returned function is called; several may watch. */
  watch(): () => void
  getState(): LagState
}

/**
 * A meter that has seen nothing yet. `perf_hooks.monitorEventLoopDelay` cannot do it: stopped and started again, it takes the time
 * between as one delay, its values include its own interval, and histograms of several runs cannot be added up (Node 24.21).
 */
export function createLagMeter(): LagMeter {
  const histogram = createHistogram()
  let watchers = 0
  let timer: NodeJS.Timeout | undefined
  let expectedMs = 0
  const sample = () => {
    const nowMs = performance.now()
    histogram.record(Math.max(1, Math.round((nowMs - expectedMs) * 1e6)))
    expectedMs = nowMs + sampleMs
    timer = setTimeout(sample, sampleMs)
  }
  const toMs = (nanoseconds: number) => Math.round(nanoseconds / 1e3) / 1e3
  return {
    watch() {
      if (watchers++ === 0) {
        expectedMs = performance.now() + sampleMs
        timer = setTimeout(sample, sampleMs)
      }
      let isWatching = true
      return () => {
        if (!isWatching) return
        isWatching = false
        if (--watchers === 0) clearTimeout(timer)
      }
    },
    getState() {
      if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 }
      return { p50Ms: toMs(histogram.percentile(50)), p99Ms: toMs(histogram.percentile(99)), maxMs: toMs(histogram.max) }
    },
  }
}
