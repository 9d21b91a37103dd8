import type { NoiseSchedule } from '../noiseSchedule.ts'
import { createSigmaPlan } from './euler.ts'
import type { SamplerPlan } from './samplerPlan.ts'
import { spaceLevels } from './spaceTimesteps.ts'

/**
 * Euler steps that go below the next σ and come back with fresh noise, so that each has the variance of ancestral sampling:
 * `get_ancestral_step` and `sample_euler_ancestral` of k-diffusion 0.1.1 with η = 1.
 */
export function createEulerAncestralPlan(schedule: NoiseSchedule, count: number): SamplerPlan {
  return createSigmaPlan(schedule, spaceLevels(schedule, count), (sigma, next) => {
    const up = Math.min(next, Math.sqrt(Math.max(0, (next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2)))
    return { down: Math.sqrt(next ** 2 - up ** 2), up }
  })
}
