import type { NoiseSchedule } from '../noiseSchedule.ts'
import { type SamplerPlan, toDenoised, toMixture } from './samplerPlan.ts'

/** Standard deviation of the data in the boundary condition: Song et al. 2023 (consistency models), appendix C */
const dataDeviation = 0.5

/**
 * Multistep consistency sampling: Luo et al. 2023 (latent consistency models, arXiv:2310.04378), algorithm 3. Each step predicts
 * the picture, c_skip x + c_out x̂₀, and all but the last put fresh noise of the next time on it.
 */
export function createLcmPlan(schedule: NoiseSchedule, count: number): SamplerPlan {
  const timesteps = spaceConsistencyTimesteps(schedule, count)
  const steps = timesteps.map((timestep, index) => {
    const now = toMixture(schedule.signalShares[timestep] as number)
    const next = timesteps[index + 1]
    const after = next === undefined ? { alpha: 1, sigma: 0 } : toMixture(schedule.signalShares[next] as number)
    const scaled = timestep * schedule.timestepScaling
    const skip = dataDeviation ** 2 / (scaled ** 2 + dataDeviation ** 2)
    const out = scaled / Math.sqrt(scaled ** 2 + dataDeviation ** 2)
    const picture = toDenoised(schedule.prediction, now)
    return {
      timestep,
      inputScale: 1,
      denoised: { sample: skip + out * picture.sample, output: out * picture.output },
      next: { sample: 0, denoised: after.alpha, previousDenoised: 0, noise: after.sigma },
    }
  })
  return { initialScale: 1, steps }
}

/** Evenly over the steps that were distilled, every k-th training step (Luo et al. 2023, section 4.3), from the noisiest. */
function spaceConsistencyTimesteps({ signalShares, originalSteps }: NoiseSchedule, count: number): number[] {
  const distilled = Math.min(signalShares.length, Math.max(originalSteps, count))
  const stride = Math.floor(signalShares.length / distilled)
  return Array.from({ length: count }, (_, index) => (distilled - Math.floor((index * distilled) / count)) * stride - 1)
}
