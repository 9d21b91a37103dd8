import { toNearestEven } from '../../toNearestEven.ts'
import type { NoiseSchedule } from '../noiseSchedule.ts'
import { type Mixture, type SamplerPlan, toDenoised, toMixture } from './samplerPlan.ts'
import { type NoiseLevel, spaceKarrasLevels, spaceTimesteps, toSigma } from './spaceTimesteps.ts'

/** Fewer steps than this end with one of first order, which is steadier there: diffusers 0.35 (`lower_order_final`). */
const fewSteps = 15

/**
 * DPM-Solver++(2M): Lu et al. 2022 (arXiv:2211.01095), algorithm 2. Second order in the half log signal-to-noise ratio λ from the
 * denoised picture of this step and the one before; the first step, and one that ends without noise, are of first order.
 */
export function createDpmSolverPlan(schedule: NoiseSchedule, count: number): SamplerPlan {
  const levels = spaceSolverLevels(schedule, count)
  const mixtures = [...levels.map(({ sigma }) => sigma), schedule.finalSigma].map((sigma) => toMixture(1 / (sigma ** 2 + 1)))
  const steps = levels.map(({ timestep }, index) => {
    const [before, now, after] = [mixtures[index - 1], mixtures[index] as Mixture, mixtures[index + 1] as Mixture]
    const weight = after.alpha - (now.alpha * after.sigma) / now.sigma
    const isLast = index === count - 1
    const firstOrder = before === undefined || (isLast && (after.sigma === 0 || count < fewSteps))
    const half = firstOrder ? 0 : (toLambda(after) - toLambda(now)) / (toLambda(now) - toLambda(before)) / 2
    return {
      timestep,
      inputScale: 1,
      denoised: toDenoised(schedule.prediction, now),
      next: { sample: after.sigma / now.sigma, denoised: weight * (1 + half), previousDenoised: -weight * half, noise: 0 },
    }
  })
  return { initialScale: 1, steps }
}

function toLambda({ alpha, sigma }: Mixture): number {
  return Math.log(alpha / sigma)
}

/**
 * As diffusers 0.35 spaces them for this solver: `count` + 1 times, the last of which, the picture itself, is not visited; or
 * over all the noise of the schedule, the network being told the nearest training step.
 */
function spaceSolverLevels(schedule: NoiseSchedule, count: number): NoiseLevel[] {
  const { spacing, signalShares, karras } = schedule
  if (karras !== null) {
    const [highest, lowest] = [toSigma(signalShares, signalShares.length - 1), toSigma(signalShares, 0)]
    return spaceKarrasLevels(schedule, { highest, lowest, ...karras }, count).map(({ timestep, sigma }) => ({ timestep: toNearestEven(timestep), sigma }))
  }
  const timesteps = spacing === 'trailing' ? spaceTimesteps(schedule, count) : spaceTimesteps(schedule, count + 1).slice(0, -1)
  return timesteps.map(toNearestEven).map((timestep) => ({ timestep, sigma: toSigma(signalShares, timestep) }))
}
