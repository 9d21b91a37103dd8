import { type Dtype, dtypes, type ImageTraits } from '../domain/manifest.ts'
import type { ImageScheduler } from '../domain/task.ts'
import { dtypeMissing, modelFileInvalid, modelFileMissing, modelUnsupported } from '../errors/inference.ts'
import { type DiffusersConfig, diffusersConfigFiles, optionalConfigFiles, readDiffusersConfig } from './diffusion/readDiffusersConfig.ts'
import { dtypeSuffixes, type ModelLayout, type ModelPaths, type ModelTraits } from './modelLayout.ts'
import type { OnnxGraph } from './onnxGraph.ts'

const parts = ['text_encoder', 'unet', 'vae_decoder'] as const
type DiffusersPart = (typeof parts)[number]

const tokenizerConfigFiles = ['tokenizer/tokenizer_config.json', 'tokenizer/special_tokens_map.json']
const clipTokenizerFiles = ['tokenizer/vocab.json', 'tokenizer/merges.txt']

/** As many as OpenAI's route takes (platform.openai.com/docs/api-reference/images) */
const maxImages = 10
const maxSteps = 100
const maxPixels = 1024 * 1024

/** Stable-Diffusion-class models in diffusers' layout, as optimum exports them: `model_index.json` and a folder per part. */
export const diffusersLayout: ModelLayout = {
  matches: (paths) => paths.has('model_index.json'),
  listConfigFiles: (paths) => [...diffusersConfigFiles, ...optionalConfigFiles, ...tokenizerConfigFiles].filter((path) => paths.has(path)),
  listDtypes,
  plan: async (folder, paths, { dtype }) => {
    const { model } = folder
    await readDiffusersConfig(folder)
    for (const file of diffusersConfigFiles) if (!paths.has(file)) throw modelFileMissing({ model, file })
    if (!listDtypes(paths).includes(dtype)) throw dtypeMissing({ model, dtype, available: listDtypes(paths).join(', ') })
    const graphs = parts.map((part) => findGraphFile(paths, part, dtype) as string)
    const tokenizer = paths.has('tokenizer/tokenizer.json') ? ['tokenizer/tokenizer.json'] : clipTokenizerFiles
    for (const file of tokenizer) if (!paths.has(file)) throw modelFileMissing({ model, file })
    return { kind: 'image', dtype, files: [...diffusersLayout.listConfigFiles(paths), ...tokenizer, ...graphs], graphs }
  },
  readTraits: async (folder, plan, graphs) => {
    const config = await readDiffusersConfig(folder)
    const file = plan.graphs.find((path) => path.startsWith('unet/')) as string
    const fixed = findFixedSize(folder.model, file, graphs.get(file) as OnnxGraph)
    if (fixed !== null && fixed.width !== fixed.height)
      throw modelUnsupported({
        model: folder.model,
        reason: `${file} is fixed to ${fixed.width} by ${fixed.height} latents: only square graphs, and those of any size, are run`,
        nextStep: 'Export it without a fixed width and height.',
      })
    return toTraits(config, fixed)
  },
}

/** Those of the U-Net; the small parts may be there in full precision only. */
function listDtypes(paths: ModelPaths): Dtype[] {
  return dtypes.filter((dtype) => paths.has(toGraphFile('unet', dtype)) && parts.every((part) => findGraphFile(paths, part, dtype) !== undefined))
}

/** @example toGraphFile('unet', 'fp16') // 'unet/model_fp16.onnx' */
function toGraphFile(part: DiffusersPart, dtype: Dtype): string {
  return `${part}/model${dtypeSuffixes[dtype]}.onnx`
}

/** The ONNX file of a part: of this dtype, else of full precision. */
export function findGraphFile(paths: ModelPaths, part: DiffusersPart, dtype: Dtype): string | undefined {
  return [toGraphFile(part, dtype), toGraphFile(part, 'fp32')].find((path) => paths.has(path))
}

/** Latents in each direction that the U-Net's graph is fixed to, null where it takes any. */
function findFixedSize(model: string, file: string, { inputs, inputShapes }: OnnxGraph): { width: number; height: number } | null {
  const shape = inputShapes[inputs.indexOf('sample')]
  if (shape?.length !== 4) throw modelFileInvalid({ model, file, problem: 'it takes no sample of four dimensions' })
  const [height, width] = shape.slice(2) as [number | null, number | null]
  return height === null || width === null ? null : { width, height }
}

function toTraits(config: DiffusersConfig, fixed: { width: number; height: number } | null): ModelTraits {
  const { defaults, distilled, latentPixels } = config
  const size = fixed ?? config.latentSize
  const width = fixed === null ? toMultiple(defaults.width, latentPixels) : undefined
  const height = fixed === null ? toMultiple(defaults.height, latentPixels) : undefined
  const own = { width: width ?? size.width * latentPixels, height: height ?? size.height * latentPixels }
  const image: ImageTraits = {
    // A graph of fixed size takes that one alone: no smaller size is a multiple, and no larger one fits its pixels.
    sizeStep: fixed === null ? latentPixels : Math.max(own.width, own.height),
    maxPixels: fixed === null ? Math.max(own.width * own.height, Math.min(maxPixels, 4 * own.width * own.height)) : own.width * own.height,
    maxSteps: Math.min(maxSteps, config.schedule.signalShares.length),
    ...own,
    steps: Math.min(maxSteps, Math.round(defaults.steps ?? (distilled === null ? 25 : 4))),
    guidance: Math.min(30, Math.max(1, defaults.guidance ?? toGuidance(config))),
    scheduler: config.scheduler,
    schedulers: listSchedulers(config),
  }
  return {
    kind: 'image',
    limits: { contextTokens: config.promptTokens, maxOutputTokens: 0, maxBatch: maxImages },
    chatTemplate: false,
    eosTokenIds: [],
    pooling: null,
    image,
  }
}

function toMultiple(value: number | undefined, step: number): number | undefined {
  return value === undefined ? undefined : Math.max(step, Math.round(value / step) * step)
}

/** 7.5 as in Rombach et al. 2022; 8.5 for networks that read the guidance, as Luo et al. 2023 sample them; none for what was distilled with it. */
function toGuidance({ distilled, guidanceWidth }: DiffusersConfig): number {
  if (guidanceWidth !== null) return 8.5
  return distilled === null ? 7.5 : 1
}

/** A consistency model predicts pictures in one jump and no slope; the others have one, and turbo models jump as well. */
function listSchedulers({ distilled }: DiffusersConfig): ImageScheduler[] {
  if (distilled === 'lcm') return ['lcm']
  return ['euler', 'euler-ancestral', 'ddim', 'dpm-solver++', ...(distilled === 'turbo' ? (['lcm'] as const) : [])]
}
