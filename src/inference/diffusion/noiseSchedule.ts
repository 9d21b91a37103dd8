export type BetaSchedule = 'linear' | 'scaled_linear' | 'squaredcos_cap_v2'
export type Prediction = 'epsilon' | 'v_prediction' | 'sample'
export type TimestepSpacing = 'leading' | 'trailing' | 'linspace'

/** How a model was trained to see noise, and which of its training steps a sampler visits: the part of `scheduler_config.json` that all schedulers share. */
export interface NoiseSchedule {
  /** float64[training steps]: ᾱ of Ho et al. 2020, the share of a sample's variance that is signal */
  signalShares: Float64Array
  /** what the network's output is */
  prediction: Prediction
  spacing: TimestepSpacing
  /** added to times spaced as `leading` */
  stepsOffset: number
  /** Euler and DPM-Solver++ space noise as Karras et al. 2022 do, between these σ where the model names them; null: they do not */
  karras: { lowest?: number; highest?: number } | null
  /** ᾱ that DDIM's last step ends at */
  finalShare: number
  /** σ = √(1 − ᾱ) / √ᾱ that the others' last step ends at */
  finalSigma: number
  /** consistency models: the steps that were distilled, and the scale of time in their boundary condition */
  originalSteps: number
  timestepScaling: number
}

/**
 * Noise added by each training step, float64[`steps`]: Ho et al. 2020 (linear), Rombach et al. 2022 (linear in √β), Nichol and
 * Dhariwal 2021, eq. 17 (cosine, capped at 0.999).
 */
export function toBetas(schedule: BetaSchedule, { steps, start, end }: { steps: number; start: number; end: number }): Float64Array {
  const between = (from: number, to: number, index: number) => (steps === 1 ? from : from + ((to - from) * index) / (steps - 1))
  if (schedule === 'linear') return Float64Array.from({ length: steps }, (_, index) => between(start, end, index))
  if (schedule === 'scaled_linear') return Float64Array.from({ length: steps }, (_, index) => between(Math.sqrt(start), Math.sqrt(end), index) ** 2)
  const shareAt = (time: number) => Math.cos((((time / steps + 0.008) / 1.008) * Math.PI) / 2) ** 2
  return Float64Array.from({ length: steps }, (_, index) => Math.min(0.999, 1 - shareAt(index + 1) / shareAt(index)))
}

/** ᾱ after each training step, float64[steps]: the product of 1 − β so far. */
export function toSignalShares(betas: Float64Array): Float64Array {
  let share = 1
  return betas.map((beta) => {
    share *= 1 - beta
    return share
  })
}

/**
 * ᾱ stretched so that the last training step leaves no signal: Lin et al. 2023, algorithm 1. The last share is 2^-24 instead of 0,
 * as diffusers has it, so that σ stays finite.
 */
export function rescaleToZeroSignal(shares: Float64Array): Float64Array {
  const first = Math.sqrt(shares[0] as number)
  const last = Math.sqrt(shares.at(-1) as number)
  return shares.map((share, index) => (index === shares.length - 1 ? 2 ** -24 : (((Math.sqrt(share) - last) * first) / (first - last)) ** 2))
}
