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

/** A time that a sampler visits. */
export interface NoiseLevel {
  /** training step that the network is told */
  timestep: number
  /** noise of a sample that is divided by its α */
  sigma: number
}

/** The times of {@link spaceTimesteps}, each with the noise that the network was trained to see there. */
export function spaceLevels(schedule: NoiseSchedule, count: number): NoiseLevel[] {
  return spaceTimesteps(schedule, count).map((timestep) => ({ timestep, sigma: toSigma(schedule.signalShares, timestep) }))
}

/**
 * `count` levels from the noise `highest` to `lowest`, evenly in the 7th root of σ: Karras et al. 2022, eq. 5. The network is told
 * the training step of that noise, linear in log σ between two of them.
 * @example spaceKarrasLevels(schedule, { highest: 14.615, lowest: 0.029 }, 3) // σ 14.615, 1.272, 0.029 at 999, 426.98, 0 of Stable Diffusion
 */
export function spaceKarrasLevels({ signalShares }: NoiseSchedule, { highest, lowest }: { highest: number; lowest: number }, count: number): NoiseLevel[] {
  const [from, to] = [highest ** (1 / 7), lowest ** (1 / 7)]
  return Array.from({ length: count }, (_, index) => {
    const sigma = count === 1 ? highest : (from + ((to - from) * index) / (count - 1)) ** 7
    return { sigma, timestep: toTimestep(signalShares, sigma) }
  })
}

/** The training step that a σ belongs to, linear in log σ between two of them. */
function toTimestep(signalShares: Float64Array, sigma: number): number {
  const above = signalShares.findIndex((_, step) => toSigma(signalShares, step) > sigma)
  if (above === 0) return 0
  if (above === -1) return signalShares.length - 1
  const [low, high] = [above - 1, above].map((step) => Math.log(toSigma(signalShares, step))) as [number, number]
  return above - 1 + (Math.log(sigma) - low) / (high - low)
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
