import { toNearestEven } from '../../toNearestEven.ts'
import type { NoiseSchedule } from '../noiseSchedule.ts'

/**
 * Training steps that a sampler of `count` steps visits, the noisiest first: Lin et al. 2023, table 2, counted from 0. Those of
 * `linspace` may lie between two training steps.
 * @example spaceTimesteps({ ...schedule, spacing: 'leading', stepsOffset: 1 }, 4) // [751, 501, 251, 1] of 1,000
 */
export function spaceTimesteps({ spacing, stepsOffset, signalShares }: NoiseSchedule, count: number): number[] {
  const last = signalShares.length - 1
  const at = {
    linspace: (index: number) => (count === 1 ? last : last - (last * index) / (count - 1)),
    leading: (index: number) => Math.min(last, (count - 1 - index) * Math.floor(signalShares.length / count) + stepsOffset),
    trailing: (index: number) => toNearestEven(signalShares.length - (index * signalShares.length) / count) - 1,
  }[spacing]
  return Array.from({ length: count }, (_, index) => at(index))
}

/** σ = √(1 − ᾱ) / √ᾱ at a training step, linear between two of them: the noise of a sample that is divided by its α. */
export function toSigma(signalShares: Float64Array, timestep: number): number {
  const below = Math.floor(timestep)
  const [low, high] = [below, Math.min(below + 1, signalShares.length - 1)].map((step) => {
    const share = signalShares[step] as number
    return Math.sqrt((1 - share) / share)
  }) as [number, number]
  return low + (high - low) * (timestep - below)
}
