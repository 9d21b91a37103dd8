import type { ImageScheduler } from '../../../domain/task.ts'
import type { NoiseSchedule } from '../noiseSchedule.ts'
import { createDdimPlan } from './ddim.ts'
import { createDpmSolverPlan } from './dpmSolver.ts'
import { createEulerPlan } from './euler.ts'
import { createEulerAncestralPlan } from './eulerAncestral.ts'
import { createLcmPlan } from './lcm.ts'
import type { SamplerPlan } from './samplerPlan.ts'

const planners: { readonly [S in ImageScheduler]: (schedule: NoiseSchedule, count: number) => SamplerPlan } = {
  euler: createEulerPlan,
  'euler-ancestral': createEulerAncestralPlan,
  ddim: createDdimPlan,
  'dpm-solver++': createDpmSolverPlan,
  lcm: createLcmPlan,
}

/** The coefficients of every step, noisiest first; float64. `count`: steps, 1 to the schedule's training steps. */
export function createSamplerPlan(scheduler: ImageScheduler, schedule: NoiseSchedule, count: number): SamplerPlan {
  return planners[scheduler](schedule, count)
}
