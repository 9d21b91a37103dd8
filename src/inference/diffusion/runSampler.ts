import type { SamplerPlan } from './schedulers/samplerPlan.ts'

export interface SamplerHooks {
  /** the network's output for a scaled sample at a training step, both of the sample's length */
  predict: (input: Float64Array, timestep: number) => Promise<ArrayLike<number>>
  /** standard normal noise of the sample's length; draw 0 is the start, draw i + 1 belongs to step i */
  drawNoise: (draw: number) => ArrayLike<number>
  isCancelled: () => boolean
  /** called after each step */
  onStep: () => void
}

/** The sample at the end of the plan, float64; null when it was cancelled between two steps. */
export async function runSampler({ initialScale, steps }: SamplerPlan, hooks: SamplerHooks): Promise<Float64Array | null> {
  let sample = Float64Array.from(hooks.drawNoise(0), (value) => value * initialScale)
  let previous = new Float64Array(sample.length)
  for (const [index, { timestep, inputScale, denoised, next }] of steps.entries()) {
    if (hooks.isCancelled()) return null
    const output = await hooks.predict(
      sample.map((value) => value * inputScale),
      timestep,
    )
    const present = sample.map((value, at) => value * denoised.sample + (output[at] as number) * denoised.output)
    const before = previous
    sample = sample.map((value, at) => value * next.sample + (present[at] as number) * next.denoised + (before[at] as number) * next.previousDenoised)
    if (next.noise !== 0) {
      const noise = hooks.drawNoise(index + 1)
      sample = sample.map((value, at) => value + (noise[at] as number) * next.noise)
    }
    previous = present
    hooks.onStep()
  }
  return sample
}
