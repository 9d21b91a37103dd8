import type { ImageRun } from '../../domain/enginePort.ts'
import type { ImageTraits } from '../../domain/manifest.ts'
import type { ImageMedia, MediaFile } from '../../domain/media.ts'
import type { ImageInput, ImageParams } from '../../domain/task.ts'
import { inferenceInputInvalid } from '../../errors/inference.ts'
import type { ModelToLoad } from '../loadModel.ts'
import type { ModelFolder } from '../modelFolder.ts'
import { drawNoise } from './drawNoise.ts'
import { encodeImage } from './encodeImage.ts'
import { combineGuided } from './guidance.ts'
import { type DiffusionGraphs, loadDiffusionGraphs, type PromptStates } from './loadDiffusionGraphs.ts'
import type { NumberTensor } from './loadGraph.ts'
import { loadPromptTokenizer } from './loadPromptTokenizer.ts'
import { type DiffusersConfig, readDiffusersConfig } from './readDiffusersConfig.ts'
import { runSampler } from './runSampler.ts'
import { createSamplerPlan } from './schedulers/createSamplerPlan.ts'

export interface GeneratorHooks {
  isCancelled: () => boolean
  /** gets the steps of denoising done */
  onStep: (done: number) => void
  /** gets each image as soon as it is made */
  onFile: (file: MediaFile) => void
}

export interface ImageGenerator {
  /** null when it was cancelled */
  run(input: ImageInput, params: ImageParams, seed: bigint, hooks: GeneratorHooks): Promise<ImageRun | null>
  dispose(): Promise<void>
}

/**
 * The image generator of a Stable-Diffusion-class folder (Rombach et al. 2022). Images of a task are made one after another:
 * image i of a seed is the same whatever the count is, and the memory needed is that of one.
 * @throws CUCKOO_MODEL_LOAD_FAILED when the runtime refuses a graph; CUCKOO_TOKENIZER_INVALID
 */
export async function createImageGenerator(request: ModelToLoad): Promise<ImageGenerator> {
  const { manifest } = request
  // Its files were verified when the model was opened.
  const folder: ModelFolder = { model: manifest.model, path: request.folder, refuseHardLinks: false }
  const config = await readDiffusersConfig(folder)
  const encodePrompt = await loadPromptTokenizer(folder, config.promptTokens, request.tokenizerGuard)
  const graphs = await loadDiffusionGraphs(request, config)
  return {
    run: async (input, params, seed, { isCancelled, onStep, onFile }) => {
      const startedAt = performance.now()
      assertImageParams(params, manifest.image as ImageTraits, manifest.limits.maxBatch)
      // Without guidance, and where the U-Net reads it, the negative prompt has no part in the formula.
      const guided = params.guidance > 1 && !graphs.readsGuidance
      const prompts: PromptStates[] = []
      for (const prompt of guided ? [input.negativePrompt, input.prompt] : [input.prompt]) prompts.push(await graphs.encodePrompt(encodePrompt(prompt)))
      const files: MediaFile[] = []
      let done = 0
      for (let image = 0; image < params.count; image++) {
        const countStep = () => onStep(++done)
        const latents = await drawLatents({ graphs, config, prompts }, params, { seed, image }, { isCancelled, onStep: countStep })
        if (latents === null || isCancelled()) return null
        const file = encodeImage(await graphs.decode(latents), { manifest, input, params, seed, image })
        files.push(file)
        onFile(file)
      }
      return { output: { images: files.map(({ media }) => media as ImageMedia) }, files, totalMs: performance.now() - startedAt }
    },
    dispose: () => graphs.release(),
  }
}

interface Denoiser {
  graphs: DiffusionGraphs
  config: DiffusersConfig
  /** the prompt's states; those of the negative prompt before them where the run is guided */
  prompts: PromptStates[]
}

/** Latents[1, channels, height, width] as the decoder takes them; null when it was cancelled. */
async function drawLatents(
  { graphs, config, prompts }: Denoiser,
  params: ImageParams,
  { seed, image }: { seed: bigint; image: number },
  hooks: { isCancelled: () => boolean; onStep: () => void },
): Promise<NumberTensor | null> {
  const shape = [1, config.latentChannels, params.height / config.latentPixels, params.width / config.latentPixels]
  const length = shape.reduce((product, size) => product * size, 1)
  const plan = createSamplerPlan(params.scheduler, config.schedule, params.steps)
  const latents = await runSampler(plan, {
    predict: async (data, timestep) => {
      const [first, told] = (await graphs.predict({ data, shape }, prompts, timestep, params.guidance)) as [Float32Array, Float32Array?]
      return told === undefined ? first : combineGuided(first, told, params.guidance)
    },
    drawNoise: (draw) => drawNoise(seed, { image, draw }, length),
    ...hooks,
  })
  return latents && { data: latents.map((value) => value / config.scalingFactor), shape }
}

/** @throws CUCKOO_INFERENCE_INPUT_INVALID for what the manifest does not allow */
function assertImageParams(params: ImageParams, traits: ImageTraits, maxImages: number): void {
  const refuse = (problem: string) => inferenceInputInvalid({ problem })
  const isCount = (value: number, most: number) => Number.isInteger(value) && value >= 1 && value <= most
  const { count, width, height, steps, guidance, scheduler } = params
  const isSize = (value: number) => isCount(value, traits.maxPixels) && value % traits.sizeStep === 0
  if (!isCount(count, maxImages)) throw refuse(`it makes 1 to ${maxImages} images, not ${count}`)
  if (!isSize(width) || !isSize(height)) throw refuse(`width and height are multiples of ${traits.sizeStep}, not ${width} × ${height}`)
  if (width * height > traits.maxPixels) throw refuse(`${width} × ${height} is more than ${traits.maxPixels} pixels`)
  if (!isCount(steps, traits.maxSteps)) throw refuse(`it takes 1 to ${traits.maxSteps} steps, not ${steps}`)
  if (!Number.isFinite(guidance) || guidance < 0 || guidance > 30) throw refuse(`guidance is 0 to 30, not ${guidance}`)
  if (!traits.schedulers.includes(scheduler)) throw refuse(`its schedulers are ${traits.schedulers.join(', ')}, not ${scheduler}`)
}
