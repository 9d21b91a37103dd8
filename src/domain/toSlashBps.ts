import type { ConvictionRecord } from './dispute.ts'

/** First, second, third and later conviction: 1/10,000 of the base (ICourt, "The slash"). */
const stepBps = [1_000, 5_000, 10_000] as const
/** What the other convictions of one step may reach together with its first. */
const stepCapBps = 3_000

/**
 * What a conviction now would take, in 1/10,000 of the base: the step rises only for an assignment issued after the verdict
 * that made the present one; all others of a step take at most 30 % together.
 * @example toSlashBps({ step: 1, stepAt: 100, stepBps: 2_500 }, 99) // 500
 */
export function toSlashBps(record: Pick<ConvictionRecord, 'step' | 'stepAt' | 'stepBps'>, issuedAt: number): number {
  if (record.step === 0 || issuedAt > record.stepAt) return stepBps[Math.min(record.step, 2)] as number
  return Math.min(stepBps[0], Math.max(0, stepCapBps - record.stepBps))
}
