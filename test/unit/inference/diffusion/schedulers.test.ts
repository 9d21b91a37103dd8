import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ImageScheduler } from '../../../../src/domain/task.ts'
import { rescaleToZeroSignal, toBetas, toSignalShares } from '../../../../src/inference/diffusion/noiseSchedule.ts'
import { runSampler } from '../../../../src/inference/diffusion/runSampler.ts'
import { createSamplerPlan } from '../../../../src/inference/diffusion/schedulers/createSamplerPlan.ts'
import { type NormalMixture, predictMixture, readConfigOf } from '../../../support/diffusionModel.ts'

interface Reference {
  mixture: NormalMixture
  cases: {
    scheduler: ImageScheduler
    steps: number
    config: object
    draws: number[][]
    timesteps: number[]
    /** what the network was given, step by step */
    inputs: number[][]
    end: number[]
  }[]
}

/** Written by schedulers.py from the papers' formulas alone. */
const reference = JSON.parse(readFileSync(new URL('./reference/schedulers.json', import.meta.url), 'utf8')) as Reference
const never = () => false
const nothing = () => undefined
/** The reference's configuration says everything that the tiny model's would. */
const unsaid = { steps_offset: undefined, set_alpha_to_one: undefined, timestep_spacing: undefined }

function expectClose(found: ArrayLike<number>, expected: number[]): void {
  expect(found.length).toBe(expected.length)
  for (const [index, value] of expected.entries())
    expect(Math.abs((found[index] as number) - value) / Math.max(1e-3, Math.abs(value)), `element ${index}`).toBeLessThanOrEqual(1e-9)
}

describe('schedulers', () => {
  it.each(reference.cases.map((one) => [one.scheduler, one.steps, JSON.stringify(one.config), one] as const))(
    '%s in %i steps follows the papers with %s',
    async (scheduler, steps, _, { config, draws, timesteps, inputs, end }) => {
      const { schedule } = await readConfigOf({ scheduler: { ...unsaid, ...config } })
      const seen: { timestep: number; input: Float64Array }[] = []
      const result = await runSampler(createSamplerPlan(scheduler, schedule, steps), {
        predict: async (input, timestep) => {
          seen.push({ timestep, input })
          return predictMixture(reference.mixture, schedule, input, timestep)
        },
        drawNoise: (draw) => draws[draw] as number[],
        isCancelled: never,
        onStep: nothing,
      })
      expectClose(
        seen.map(({ timestep }) => timestep),
        timesteps,
      )
      for (const [index, { input }] of seen.entries()) expectClose(input, inputs[index] as number[])
      expectClose(result as Float64Array, end)
    },
  )

  it.each([
    ['euler', 1, [100, 200]],
    ['ddim', 1, [100, 200]],
    // one time more is spaced and left out
    ['dpm-solver++', 2, [99, 199]],
  ] as const)('%s is of order %i: its error against the exact solution shrinks so as steps double', async (scheduler, order, counts) => {
    const { schedule } = await readConfigOf({ scheduler: { steps_offset: 0 } })
    const normal: NormalMixture = { weights: [1], means: [0.7], deviations: [0.5] }
    const shareAt = (timestep: number) => schedule.signalShares[timestep] as number
    const deviationAt = (timestep: number) => Math.sqrt(shareAt(timestep) * 0.25 + 1 - shareAt(timestep))
    const errors: number[] = []
    for (const count of counts) {
      const seen = new Map<number, number>()
      await runSampler(createSamplerPlan(scheduler, schedule, count), {
        predict: async (input, timestep) => {
          seen.set(timestep, input[0] as number)
          return predictMixture(normal, schedule, input, timestep)
        },
        drawNoise: () => [0.8],
        isCancelled: never,
        onStep: nothing,
      })
      const [start, first] = [...seen][0] as [number, number]
      // Along the ODE a sample keeps its place in the distribution, which is normal at every time.
      const place = (first - Math.sqrt(shareAt(start)) * 0.7) / deviationAt(start)
      errors.push(Math.abs((seen.get(200) as number) - (Math.sqrt(shareAt(200)) * 0.7 + deviationAt(200) * place)))
    }
    const [coarse, fine] = errors as [number, number]
    expect(coarse).toBeLessThan(3e-3)
    expect(coarse / fine / 2 ** order).toBeGreaterThan(0.9)
    expect(coarse / fine / 2 ** order).toBeLessThan(1.1)
  })

  it('ends between two steps when cancelled, and counts each step', async () => {
    const { schedule } = await readConfigOf({})
    let steps = 0
    const hooks = { predict: async (input: Float64Array) => input, drawNoise: () => [1], onStep: () => ++steps }
    expect(await runSampler(createSamplerPlan('euler', schedule, 10), { ...hooks, isCancelled: () => steps === 3 })).toBeNull()
    expect(steps).toBe(3)
  })
})

describe('noise schedules', () => {
  // Ho et al. 2020, section 4: T = 1,000, β from 1e-4 to 0.02, chosen so that ᾱ_T is about 4e-5.
  it('have the signal that the papers name', () => {
    const linear = toSignalShares(toBetas('linear', { steps: 1_000, start: 1e-4, end: 0.02 }))
    expect(linear[0]).toBeCloseTo(1 - 1e-4, 12)
    expect(linear[999]).toBeCloseTo(4.0e-5, 6)
    // Nichol and Dhariwal 2021, section 3.2: β is at most 0.999, and ᾱ is 1/2 where the cosine, with its offset of 0.008, is √(1/2).
    const cosine = toBetas('squaredcos_cap_v2', { steps: 1_000, start: 0, end: 0 })
    expect(cosine[999]).toBe(0.999)
    expect(toSignalShares(cosine)[495]).toBeCloseTo(
      Math.cos(((0.496 + 0.008) / 1.008) * (Math.PI / 2)) ** 2 / Math.cos((0.008 / 1.008) * (Math.PI / 2)) ** 2,
      12,
    )
    // √ᾱ_T = 0.068265 of Stable Diffusion: Lin et al. 2023, table 1.
    expect(Math.sqrt(toSignalShares(toBetas('scaled_linear', { steps: 1_000, start: 0.00085, end: 0.012 }))[999] as number)).toBeCloseTo(0.068265, 6)
  })

  it('can be stretched to end without signal, and begin as before', () => {
    const shares = toSignalShares(toBetas('scaled_linear', { steps: 1_000, start: 0.00085, end: 0.012 }))
    const rescaled = rescaleToZeroSignal(shares)
    expect(rescaled[0]).toBeCloseTo(shares[0] as number, 12)
    expect(rescaled[999]).toBe(2 ** -24)
    expect(rescaled[998]).toBeLessThan(1e-5)
  })
})
