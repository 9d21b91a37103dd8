import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NoiseSchedule } from '../../src/inference/diffusion/noiseSchedule.ts'
import { type DiffusersConfig, readDiffusersConfig } from '../../src/inference/diffusion/readDiffusersConfig.ts'
import { type DiffusersModelOptions, toDiffusersModelFiles } from './diffusersModel.ts'
import { writeModelFiles } from './onnx.ts'

/** What the tiny model's files say, with other files over them. */
export async function readConfigOf(options: DiffusersModelOptions, files: Record<string, object> = {}): Promise<DiffusersConfig> {
  const path = mkdtempSync(join(tmpdir(), 'cuckoo-diffusers-'))
  try {
    writeModelFiles(path, { ...toDiffusersModelFiles(options), ...files })
    return await readDiffusersConfig({ model: 'a/b', path, refuseHardLinks: true })
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

/** A mixture of normal distributions. */
export interface NormalMixture {
  weights: number[]
  means: number[]
  deviations: number[]
}

/** The output of a perfect network for samples of `mixture` seen at a training step: the noise is −σ d log p(x) / dx. */
export function predictMixture(mixture: NormalMixture, { signalShares, prediction }: NoiseSchedule, input: Float64Array, timestep: number): number[] {
  const below = Math.floor(timestep)
  const [low, high] = [below, Math.min(below + 1, signalShares.length - 1)].map((step) => Math.sqrt(1 / (signalShares[step] as number) - 1)) as [number, number]
  const spread = low + (high - low) * (timestep - below)
  const alpha = 1 / Math.sqrt(1 + spread ** 2)
  const sigma = spread * alpha
  const parts = mixture.weights.map((weight, index) => ({
    weight,
    mean: alpha * (mixture.means[index] as number),
    variance: (alpha * (mixture.deviations[index] as number)) ** 2 + sigma ** 2,
  }))
  return Array.from(input, (x) => {
    const densities = parts.map(({ weight, mean, variance }) => (weight / Math.sqrt(variance)) * Math.exp(-((x - mean) ** 2) / (2 * variance)))
    const total = densities.reduce((sum, density) => sum + density, 0)
    const noise = parts.reduce((sum, { mean, variance }, index) => sum + ((sigma * (x - mean)) / variance) * ((densities[index] as number) / total), 0)
    const picture = (x - sigma * noise) / alpha
    return { epsilon: noise, v_prediction: alpha * noise - sigma * picture, sample: picture }[prediction]
  })
}
