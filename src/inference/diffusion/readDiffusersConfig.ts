import type { ImageScheduler } from '../../domain/task.ts'
import { modelFileInvalid, modelUnsupported } from '../../errors/inference.ts'
import { type ModelFolder, readJsonFile } from '../modelFolder.ts'
import { type BetaSchedule, type NoiseSchedule, rescaleToZeroSignal, type TimestepSpacing, toBetas, toSignalShares } from './noiseSchedule.ts'

/** The small files of a diffusers folder that say how its graphs are used, root first. */
export const diffusersConfigFiles = ['model_index.json', 'scheduler/scheduler_config.json', 'unet/config.json', 'vae_decoder/config.json'] as const
export const optionalConfigFiles = ['generation_config.json', 'text_encoder/config.json'] as const

/** What a Stable-Diffusion-class folder's configuration says. */
export interface DiffusersConfig {
  schedule: NoiseSchedule
  /** that of the model's own scheduler, or the nearest */
  scheduler: ImageScheduler
  /** few steps suffice: `lcm` for consistency models, `turbo` for adversarially distilled ones */
  distilled: 'lcm' | 'turbo' | null
  /** width of the embedding through which the network reads the guidance; null: it does not */
  guidanceWidth: number | null
  latentChannels: number
  /** pixels of one latent in each direction */
  latentPixels: number
  /** latents are divided by it before they are decoded */
  scalingFactor: number
  /** latents in each direction that the network was trained on */
  latentSize: { width: number; height: number }
  /** tokens that the text encoder takes */
  promptTokens: number
  /** `generation_config.json`; undefined where it says nothing */
  defaults: { width?: number | undefined; height?: number | undefined; steps?: number | undefined; guidance?: number | undefined }
}

type Json = Record<string, unknown>

const schedulerNames: Record<string, ImageScheduler> = {
  EulerDiscreteScheduler: 'euler',
  EulerAncestralDiscreteScheduler: 'euler-ancestral',
  DDIMScheduler: 'ddim',
  DPMSolverMultistepScheduler: 'dpm-solver++',
  LCMScheduler: 'lcm',
}
/** Schedulers of the same noise schedule that are not built here: their models are sampled by DPM-Solver++ in the same steps or fewer. */
const replacedSchedulers =
  /^(PNDM|LMSDiscrete|Heun\w*|KDPM2\w*|DEISMultistep|UniPCMultistep|DPMSolverSinglestep|DPMSolverSDE|DDPM|SASolver)(Discrete)?Scheduler$/
const supported = 'Choose an ONNX export of Stable Diffusion 1.x or 2.x, of SD-Turbo or of a latent consistency model.'

/**
 * The configuration of a diffusers folder.
 * @throws CUCKOO_MODEL_UNSUPPORTED for pipelines, networks and schedulers of another class, saying what is supported
 * @throws CUCKOO_MODEL_FILE_INVALID for a value that cannot be
 */
export async function readDiffusersConfig(folder: ModelFolder): Promise<DiffusersConfig> {
  const { model } = folder
  const read = async (file: string) => (await readJsonFile(folder, file)) ?? {}
  const [index, scheduler, unet, vae] = (await Promise.all(diffusersConfigFiles.map(read))) as [Json, Json, Json, Json]
  const [generation, text] = (await Promise.all(optionalConfigFiles.map(read))) as [Json, Json]
  const tokenizer = await read('tokenizer/tokenizer_config.json')
  assertSupported(model, index, unet, scheduler)
  const numbers = createNumberReader(model)
  const latentChannels = numbers.get(vae, 'vae_decoder/config.json', 'latent_channels', 4)
  const channels = Array.isArray(vae.block_out_channels) ? vae.block_out_channels.length : 4
  const schedule = toNoiseSchedule(model, scheduler, numbers)
  const name = schedulerNames[String(scheduler._class_name)] ?? 'dpm-solver++'
  const size = Array.isArray(unet.sample_size) ? unet.sample_size : [unet.sample_size, unet.sample_size]
  const [height, width] = [0, 1].map((at) => numbers.get({ sample_size: size[at] }, 'unet/config.json', 'sample_size', 64)) as [number, number]
  return {
    schedule,
    scheduler: name,
    distilled: findDistillation(name, scheduler, schedule),
    guidanceWidth: typeof unet.time_cond_proj_dim === 'number' ? numbers.get(unet, 'unet/config.json', 'time_cond_proj_dim') : null,
    latentChannels,
    latentPixels: 2 ** (Math.min(8, channels) - 1),
    scalingFactor: numbers.get(vae, 'vae_decoder/config.json', 'scaling_factor', 0.18215),
    latentSize: { width, height },
    promptTokens: findPromptTokens(tokenizer, text),
    defaults: {
      width: numbers.find(generation, 'generation_config.json', 'width'),
      height: numbers.find(generation, 'generation_config.json', 'height'),
      steps: numbers.find(generation, 'generation_config.json', 'num_inference_steps'),
      guidance: numbers.find(generation, 'generation_config.json', 'guidance_scale'),
    },
  }
}

function assertSupported(model: string, index: Json, unet: Json, scheduler: Json): void {
  const refuse = (reason: string) => modelUnsupported({ model, reason, nextStep: supported })
  const pipeline = String(index._class_name ?? 'of no name')
  const known = /^(ORT|Onnx)?(StableDiffusion|LatentConsistencyModel)Pipeline$/.test(pipeline)
  if (!known || 'text_encoder_2' in index || 'transformer' in index) throw refuse(`its pipeline is ${pipeline}`)
  if (unet.addition_embed_type != null || unet.class_embed_type != null) throw refuse('its U-Net needs more than a prompt')
  if (unet.in_channels !== undefined && unet.in_channels !== (unet.out_channels ?? 4)) throw refuse('its U-Net draws over another picture')
  const name = String(scheduler._class_name)
  if (!(name in schedulerNames) && !replacedSchedulers.test(name)) throw refuse(`its scheduler is ${name}`)
  if (scheduler.trained_betas != null) throw refuse('its scheduler has a noise table of its own')
  if (scheduler.use_flow_sigmas === true) throw refuse('its scheduler is one of flow matching')
  if (scheduler.clip_sample === true || scheduler.thresholding === true) throw refuse('its scheduler clips samples as models of pixels want it')
}

function toNoiseSchedule(model: string, scheduler: Json, numbers: NumberReader): NoiseSchedule {
  const file = 'scheduler/scheduler_config.json'
  const choose = <T extends string>(key: string, choices: readonly T[], otherwise: T): T => {
    const value = (scheduler[key] ?? otherwise) as T
    if (choices.includes(value)) return value
    throw modelUnsupported({ model, reason: `its scheduler's ${key} is ${String(value)}, and there are ${choices.join(', ')}`, nextStep: supported })
  }
  const schedule = choose<BetaSchedule>('beta_schedule', ['linear', 'scaled_linear', 'squaredcos_cap_v2'], 'scaled_linear')
  const steps = numbers.get(scheduler, file, 'num_train_timesteps', 1_000)
  if (!Number.isInteger(steps) || steps > 100_000) throw modelFileInvalid({ model, file, problem: `num_train_timesteps is ${steps}` })
  const betas = toBetas(schedule, { steps, start: numbers.get(scheduler, file, 'beta_start', 0.00085), end: numbers.get(scheduler, file, 'beta_end', 0.012) })
  const shares = toSignalShares(betas)
  if (!shares.every((share) => share > 0 && share < 1)) throw modelFileInvalid({ model, file, problem: 'its betas are not between 0 and 1' })
  const signalShares = scheduler.rescale_betas_zero_snr === true ? rescaleToZeroSignal(shares) : shares
  const first = signalShares[0] as number
  const offset = scheduler.steps_offset
  return {
    signalShares,
    prediction: choose('prediction_type', ['epsilon', 'v_prediction', 'sample'], 'epsilon'),
    spacing: choose<TimestepSpacing>('timestep_spacing', ['leading', 'trailing', 'linspace'], defaultSpacings[String(scheduler._class_name)] ?? 'leading'),
    stepsOffset: typeof offset === 'number' && Number.isInteger(offset) && offset >= 0 && offset < steps ? offset : 0,
    karras: scheduler.use_karras_sigmas === true ? toKarrasRange(numbers.find(scheduler, file, 'sigma_min'), numbers.find(scheduler, file, 'sigma_max')) : null,
    finalShare: scheduler.set_alpha_to_one === false ? first : 1,
    finalSigma: scheduler.final_sigmas_type === 'sigma_min' ? Math.sqrt((1 - first) / first) : 0,
    originalSteps: numbers.find(scheduler, file, 'original_inference_steps') ?? 50,
    timestepScaling: numbers.find(scheduler, file, 'timestep_scaling') ?? 10,
  }
}

function toKarrasRange(lowest: number | undefined, highest: number | undefined): NonNullable<NoiseSchedule['karras']> {
  return { ...(lowest !== undefined && { lowest }), ...(highest !== undefined && { highest }) }
}

/** What diffusers 0.35 takes where the file says nothing; `leading` for all others. */
const defaultSpacings: Record<string, TimestepSpacing> = {
  EulerDiscreteScheduler: 'linspace',
  EulerAncestralDiscreteScheduler: 'linspace',
  DPMSolverMultistepScheduler: 'linspace',
}

/** SD-Turbo's configuration is Euler with trailing times; models rescaled to zero signal have those too, and are no few-step models. */
function findDistillation(name: ImageScheduler, scheduler: Json, schedule: NoiseSchedule): DiffusersConfig['distilled'] {
  if (name === 'lcm') return 'lcm'
  const turbo = name.startsWith('euler') && schedule.spacing === 'trailing' && scheduler.rescale_betas_zero_snr !== true
  return turbo ? 'turbo' : null
}

/** CLIP's 77 unless the tokenizer or the encoder names another length; Python's transformers writes 1e30 for none. */
function findPromptTokens(tokenizer: Json, text: Json): number {
  const isLength = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 2 && (value as number) <= 4_096
  return [tokenizer.model_max_length, text.max_position_embeddings].find(isLength) ?? 77
}

interface NumberReader {
  find(json: Json, file: string, key: string): number | undefined
  get(json: Json, file: string, key: string, otherwise?: number): number
}

/** Reads positive numbers. */
function createNumberReader(model: string): NumberReader {
  const find: NumberReader['find'] = (json, file, key) => {
    const value = json[key] ?? undefined
    if (value === undefined || (typeof value === 'number' && value > 0 && Number.isFinite(value))) return value
    throw modelFileInvalid({ model, file, problem: `${key} is ${JSON.stringify(value)?.slice(0, 40)}, not a number over 0` })
  }
  return {
    find,
    get: (json, file, key, otherwise) => {
      const value = find(json, file, key) ?? otherwise
      if (value === undefined) throw modelFileInvalid({ model, file, problem: `it has no ${key}` })
      return value
    },
  }
}
