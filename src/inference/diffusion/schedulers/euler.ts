import type { NoiseSchedule } from '../noiseSchedule.ts'
import { type SamplerPlan, toDenoised } from './samplerPlan.ts'
import { spaceTimesteps, toSigma } from './spaceTimesteps.ts'

/**
 * Euler steps of the probability flow ODE dx/dσ = (x − D(x; σ)) / σ: Karras et al. 2022, algorithm 1 without its second order and
 * with the times of the model's own schedule. Samples are divided by their α.
 */
export function createEulerPlan(schedule: NoiseSchedule, count: number): SamplerPlan {
  return createSigmaPlan(schedule, count, (_, next) => ({ down: next, up: 0 }))
}

/**
 * A plan over σ: each step goes down to `down` along the ODE and adds noise of `up`. The start has the standard deviation of a
 * sample at the first σ (of its noise alone where the times reach the end of training, as diffusers 0.35 does).
 */
export function createSigmaPlan(schedule: NoiseSchedule, count: number, toLevels: (sigma: number, next: number) => { down: number; up: number }): SamplerPlan {
  const timesteps = spaceTimesteps(schedule, count)
  const sigmas = timesteps.map((timestep) => toSigma(schedule.signalShares, timestep))
  const first = sigmas[0] as number
  const steps = timesteps.map((timestep, index) => {
    const sigma = sigmas[index] as number
    const { down, up } = toLevels(sigma, sigmas[index + 1] ?? schedule.finalSigma)
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
