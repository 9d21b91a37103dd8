import type { NoiseSchedule } from '../noiseSchedule.ts'
import { type SamplerPlan, toDenoised } from './samplerPlan.ts'
import { type NoiseLevel, spaceKarrasLevels, spaceLevels } from './spaceTimesteps.ts'

/**
 * Euler steps of the probability flow ODE dx/dσ = (x − D(x; σ)) / σ: Karras et al. 2022, algorithm 1 without its second order and
 * with the times of the model's own schedule, or as many between the noisiest and the last of them as that paper spaces them.
 * Samples are divided by their α.
 */
export function createEulerPlan(schedule: NoiseSchedule, count: number): SamplerPlan {
  const levels = spaceLevels(schedule, count)
  const [highest, lowest] = [levels[0]?.sigma as number, levels.at(-1)?.sigma as number]
  const spaced = schedule.karras === null ? levels : spaceKarrasLevels(schedule, { highest, lowest, ...schedule.karras }, count)
  return createSigmaPlan(schedule, spaced, (_, next) => ({ down: next, up: 0 }))
}

/**
 * A plan over σ: each step goes down to `down` along the ODE and adds noise of `up`. The start has the standard deviation of a
 * sample at the first σ (of its noise alone where the times reach the end of training, as diffusers 0.35 does).
 */
export function createSigmaPlan(
  schedule: NoiseSchedule,
  levels: readonly NoiseLevel[],
  toStep: (sigma: number, next: number) => { down: number; up: number },
): SamplerPlan {
  const first = levels[0]?.sigma as number
  const steps = levels.map(({ timestep, sigma }, index) => {
    const { down, up } = toStep(sigma, levels[index + 1]?.sigma ?? schedule.finalSigma)
    const inputScale = 1 / Math.sqrt(sigma ** 2 + 1)
    const { sample, output } = toDenoised(schedule.prediction, { alpha: inputScale, sigma: sigma * inputScale })
    return {
      timestep,
      inputScale,
      denoised: { sample: sample * inputScale, output },
      next: { sample: down / sigma, denoised: 1 - down / sigma, previousDenoised: 0, noise: up },
    }
  })
  return { initialScale: schedule.spacing === 'leading' ? Math.sqrt(first ** 2 + 1) : first, steps }
}
