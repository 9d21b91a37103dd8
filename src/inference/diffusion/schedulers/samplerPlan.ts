import type { Prediction } from '../noiseSchedule.ts'

/**
 * One call of the network and what follows from it. Every scheduler here is linear in what it sees, so a step is its coefficients:
 * denoised = sample × `denoised.sample` + output × `denoised.output`, and the next sample is the sum over `next`.
 */
export interface SamplerStep {
  /** training step that the network is told; whole for all but Euler spaced as `linspace` */
  timestep: number
  /** what the sample is multiplied by before the network sees it */
  inputScale: number
  denoised: { sample: number; output: number }
  /** `noise`: of a standard normal draw of this step; 0 draws none */
  next: { sample: number; denoised: number; previousDenoised: number; noise: number }
}

export interface SamplerPlan {
  /** standard deviation of the noise that sampling starts from */
  initialScale: number
  steps: SamplerStep[]
}

/** How much of a sample is signal and noise: x = `alpha` × picture + `sigma` × noise, alpha² + sigma² = 1. */
export interface Mixture {
  alpha: number
  sigma: number
}

export function toMixture(signalShare: number): Mixture {
  return { alpha: Math.sqrt(signalShare), sigma: Math.sqrt(1 - signalShare) }
}

/** The picture as the network sees it, from a sample with α² + σ² = 1: Ho et al. 2020, eq. 15 (epsilon); Salimans and Ho 2022, appendix D (v). */
export function toDenoised(prediction: Prediction, { alpha, sigma }: Mixture): SamplerStep['denoised'] {
  if (prediction === 'sample') return { sample: 0, output: 1 }
  return prediction === 'epsilon' ? { sample: 1 / alpha, output: -sigma / alpha } : { sample: alpha, output: -sigma }
}
