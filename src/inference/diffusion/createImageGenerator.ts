import type { ImageRun } from '../../domain/enginePort.ts'
import type { ImageInput, ImageParams } from '../../domain/task.ts'
import { modelUnsupported } from '../../errors/inference.ts'
import type { ModelToLoad } from '../loadModel.ts'

export interface ImageGenerator {
  /** null when it was cancelled; `onStep` gets the steps of denoising done */
  run(input: ImageInput, params: ImageParams, seed: bigint, hooks: { isCancelled: () => boolean; onStep: (done: number) => void }): Promise<ImageRun | null>
  dispose(): Promise<void>
}

/** The image generator of a Stable-Diffusion-class folder. */
export async function createImageGenerator({ manifest }: ModelToLoad): Promise<ImageGenerator> {
  throw modelUnsupported({ model: manifest.model, reason: 'image models are not run yet' })
}
