import { toNearestEven } from '../../toNearestEven.ts'
import type { NoiseSchedule } from '../noiseSchedule.ts'
import { type SamplerPlan, toDenoised, toMixture } from './samplerPlan.ts'
import { spaceTimesteps } from './spaceTimesteps.ts'

/** Song et al. 2020 (DDIM), eq. 12 with σ = 0: the predicted picture, and the predicted noise put back at the next level. */
export function createDdimPlan(schedule: NoiseSchedule, count: number): SamplerPlan {
  const timesteps = spaceTimesteps(schedule, count).map(toNearestEven)
  const shares = timesteps.map((timestep) => schedule.signalShares[timestep] as number)
  const steps = timesteps.map((timestep, index) => {
    const now = toMixture(shares[index] as number)
    const after = toMixture(shares[index + 1] ?? schedule.finalShare)
    const kept = after.sigma / now.sigma
    return {
      timestep,
      inputScale: 1,
      denoised: toDenoised(schedule.prediction, now),
      next: { sample: kept, denoised: after.alpha - now.alpha * kept, previousDenoised: 0, noise: 0 },
    }
  })
  return { initialScale: 1, steps }
}
