import type { Clock } from '../domain/ports.ts'
import type { TaskKind } from '../domain/taskKinds.ts'
import type { MinerEvents } from './minerEvents.ts'
import type { KindState, MinerState } from './minerState.ts'

/** Percentiles are those of so many newest tasks. */
const sampleSize = 256

interface KindTotals {
  tasksDone: number
  tasksFailed: number
  units: bigint
  earnedWei: bigint
  totalMs: number
  /** of the newest tasks */
  samplesMs: number[]
}

/** What became of a miner's tasks by their kind, and its newest error, from what its events say. */
export function watchStats(events: MinerEvents, clock: Clock): { getKinds(): KindState[]; getLastError(): MinerState['lastError'] } {
  const kinds = new Map<TaskKind, KindTotals>()
  let lastError: MinerState['lastError'] = null
  const getTotals = (kind: TaskKind): KindTotals => {
    const totals = kinds.get(kind) ?? { tasksDone: 0, tasksFailed: 0, units: 0n, earnedWei: 0n, totalMs: 0, samplesMs: [] }
    kinds.set(kind, totals)
    return totals
  }
  events.subscribe((event) => {
    if ('error' in event && event.error !== null) lastError = { atMs: clock.nowMs(), error: event.error }
    if (event.type === 'taskFailed') getTotals(event.task.kind).tasksFailed++
    if (event.type !== 'taskDone') return
    const totals = getTotals(event.task.kind)
    totals.tasksDone++
    totals.units += event.units
    totals.earnedWei += event.priceWei
    totals.totalMs += event.inferenceMs
    totals.samplesMs.push(event.inferenceMs)
    if (totals.samplesMs.length > sampleSize) totals.samplesMs.shift()
  })
  return { getKinds: () => [...kinds].map(([kind, totals]) => toKindState(kind, totals)), getLastError: () => lastError }
}

function toKindState(kind: TaskKind, { samplesMs, totalMs, ...totals }: KindTotals): KindState {
  const sorted = [...samplesMs].sort((a, b) => a - b)
  const getPercentile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number
  return {
    kind,
    ...totals,
    unitsPerSecond: totalMs > 0 ? Number(totals.units) / (totalMs / 1_000) : 0,
    inferenceMs: sorted.length === 0 ? null : { p50: getPercentile(0.5), p95: getPercentile(0.95) },
  }
}
