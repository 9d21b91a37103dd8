/**
 * A tiny Stable-Diffusion-class model whose every answer is known: the U-Net is the exact noise of pictures that are one colour,
 * the mean of the prompt's words, with Gaussian grain of a known size on every latent.
 */
import { createGraph, type GraphParts } from './onnx.ts'

export const colours: Record<string, [number, number, number]> = {
  red: [0.6, -0.6, -0.6],
  green: [-0.6, 0.6, -0.6],
  blue: [-0.6, -0.6, 0.6],
  white: [0.6, 0.6, 0.6],
}
/** standard deviation of the latents around their colour, as the decoder sees them */
export const grain = 0.1
const scalingFactor = 0.5
const promptTokens = 8

/** CLIP's byte-level characters of a to z with and without the end of a word, then merges that build the colours. */
function createClipVocabulary(): { vocabulary: Record<string, number>; merges: string[] } {
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  const merges = ['r e', 're d</w>', 'g re', 'gre e', 'gree n</w>', 'b l', 'bl u', 'blu e</w>', 'w h', 'wh i', 'whi t', 'whit e</w>']
  const tokens = [...letters, ...letters.map((letter) => `${letter}</w>`), ...merges.map((merge) => merge.replace(' ', '')), '<|startoftext|>', '<|endoftext|>']
  return { vocabulary: Object.fromEntries(tokens.map((token, id) => [token, id])), merges }
}
export const { vocabulary, merges } = createClipVocabulary()

export interface DiffusersModelOptions {
  dtype?: 'float' | 'float16'
  tokenType?: 'int32' | 'int64'
  timestepType?: 'int64' | 'float'
  timestepShape?: (string | number)[]
  /** of the U-Net's sample */
  batch?: string | number
  /** latents in each direction that the U-Net is fixed to */
  size?: number | readonly [height: number, width: number]
  /** the U-Net reads the guidance, 4 numbers, and adds nothing of them */
  readsGuidance?: boolean
  /** its numbers overflow */
  overflows?: boolean
  /** over the scheduler's configuration, DDIM with leading times */
  scheduler?: object
  generation?: object
}

type Files = Record<string, Buffer | string | object>
type Nodes = GraphParts['nodes']
type Parts = Pick<GraphParts, 'inputs' | 'outputs' | 'nodes' | 'tensors'>

/** ᾱ of 1,000 steps, linear in √β from 0.00085 to 0.012. */
function listSignalShares(): number[] {
  let share = 1
  return Array.from({ length: 1_000 }, (_, index) => {
    share *= 1 - (Math.sqrt(0.00085) + ((Math.sqrt(0.012) - Math.sqrt(0.00085)) * index) / 999) ** 2
    return share
  })
}

function createTextEncoder({ dtype = 'float', tokenType = 'int64' }: DiffusersModelOptions): Buffer {
  const rows = Object.keys(vocabulary)
  const floats = rows.flatMap((token) => {
    const colour = colours[token.replace('</w>', '')]
    return [0, 1, 2, 3].map((channel) => (colour?.[channel] ?? 0) * promptTokens * scalingFactor)
  })
  return createGraph({
    inputs: { input_ids: [tokenType, ['batch', 'n']] },
    outputs: { last_hidden_state: [dtype, ['batch', 'n', 4]] },
    nodes: [
      ['Gather', ['table', 'input_ids'], ['rows']],
      ['Cast', ['rows'], ['last_hidden_state'], { to: dtype === 'float' ? 1 : 10 }],
    ],
    tensors: { table: { dimensions: [rows.length, 4], floats } },
  })
}

function createUnet(options: DiffusersModelOptions): Buffer {
  const { dtype = 'float', timestepType = 'int64', timestepShape = ['steps'], batch = 'batch', size, readsGuidance = false, overflows = false } = options
  const shares = listSignalShares()
  const variance = (grain * scalingFactor) ** 2
  const sizes = typeof size === 'object' ? size : [size ?? 'height', size ?? 'width']
  const nodes: Nodes = [
    ['Cast', ['sample'], ['x'], { to: 1 }],
    ['Cast', ['encoder_hidden_states'], ['states'], { to: 1 }],
    ['Cast', ['timestep'], ['at'], { to: 7 }],
    ['Gather', ['alphas', 'at'], ['alpha']],
    ['Gather', ['gains', 'at'], ['gain']],
    ['Reshape', ['alpha', 'one'], ['alpha1']],
    ['Reshape', ['gain', 'one'], ['gain1']],
    ['ReduceMean', ['states'], ['mean'], { axes: [1], keepdims: 0 }],
    ['Unsqueeze', ['mean', 'planes'], ['colour']],
    ['Mul', ['colour', 'alpha1'], ['signal']],
    ['Sub', ['x', 'signal'], ['rest']],
    [overflows ? 'Div' : 'Mul', ['rest', overflows ? 'nothing' : 'gain1'], ['noise']],
    ['Cast', ['noise'], ['out_sample'], { to: dtype === 'float' ? 1 : 10 }],
  ]
  const parts: Parts = {
    inputs: {
      sample: [dtype, [batch, 4, ...sizes]],
      timestep: [timestepType, timestepShape],
      encoder_hidden_states: [dtype, [batch, 'n', 4]],
      ...(readsGuidance && { timestep_cond: [dtype, [batch, 4]] }),
    },
    outputs: { out_sample: [dtype, [batch, 4, ...sizes]] },
    nodes,
    tensors: {
      alphas: { dimensions: [1_000], floats: shares.map(Math.sqrt) },
      gains: { dimensions: [1_000], floats: shares.map((share) => Math.sqrt(1 - share) / (share * variance + 1 - share)) },
      one: { dimensions: [1], int64s: [1] },
      planes: { dimensions: [2], int64s: [2, 3] },
      ...(overflows && { nothing: { dimensions: [1], floats: [0] } }),
    },
  }
  // A graph keeps only inputs that are used: the guidance joins as its sum times zero.
  if (readsGuidance) {
    nodes.splice(-1, 1, ['Cast', ['timestep_cond'], ['told'], { to: 1 }], ['ReduceSum', ['told', 'axis'], ['sum'], { keepdims: 0 }])
    nodes.push(['Mul', ['sum', 'zero'], ['none']], ['Reshape', ['none', 'column'], ['nones']], ['Add', ['noise', 'nones'], ['out_sample']])
    Object.assign(parts.tensors as object, {
      axis: { dimensions: [1], int64s: [1] },
      column: { dimensions: [4], int64s: [0, 1, 1, 1] },
      zero: { dimensions: [1], floats: [0] },
    })
  }
  return createGraph(parts)
}

/** Each latent is 8 × 8 pixels of its first three channels. */
function createDecoder({ dtype = 'float' }: DiffusersModelOptions): Buffer {
  const kernel = Array.from({ length: 4 * 3 * 64 }, (_, index) => (Math.floor(index / 192) === Math.floor(index / 64) % 3 ? 1 : 0))
  return createGraph({
    inputs: { latent_sample: [dtype, ['batch', 4, 'height', 'width']] },
    outputs: { sample: [dtype, ['batch', 3, 'rows', 'columns']] },
    nodes: [
      ['Cast', ['latent_sample'], ['latents'], { to: 1 }],
      ['ConvTranspose', ['latents', 'kernel'], ['pixels'], { strides: [8, 8], kernel_shape: [8, 8] }],
      ['Cast', ['pixels'], ['sample'], { to: dtype === 'float' ? 1 : 10 }],
    ],
    tensors: { kernel: { dimensions: [4, 3, 8, 8], floats: kernel } },
  })
}

/** The files of the model, in the layout and with the names that optimum writes. */
export function toDiffusersModelFiles(options: DiffusersModelOptions = {}): Files {
  const suffix = options.dtype === 'float16' ? '_fp16' : ''
  return {
    'model_index.json': { _class_name: 'StableDiffusionPipeline', unet: ['diffusers', 'UNet2DConditionModel'] },
    'scheduler/scheduler_config.json': {
      _class_name: 'DDIMScheduler',
      beta_schedule: 'scaled_linear',
      beta_start: 0.00085,
      beta_end: 0.012,
      num_train_timesteps: 1_000,
      prediction_type: 'epsilon',
      timestep_spacing: 'leading',
      steps_offset: 1,
      set_alpha_to_one: false,
      clip_sample: false,
      ...options.scheduler,
    },
    'unet/config.json': { sample_size: 8, in_channels: 4, out_channels: 4, ...(options.readsGuidance && { time_cond_proj_dim: 4 }) },
    'vae_decoder/config.json': { scaling_factor: scalingFactor, latent_channels: 4, block_out_channels: [1, 1, 1, 1] },
    'tokenizer/tokenizer_config.json': { tokenizer_class: 'CLIPTokenizer', model_max_length: promptTokens, pad_token: '<|endoftext|>' },
    'tokenizer/vocab.json': vocabulary,
    'tokenizer/merges.txt': ['#version: 0.2', ...merges, ''].join('\n'),
    [`text_encoder/model${suffix}.onnx`]: createTextEncoder(options),
    [`unet/model${suffix}.onnx`]: createUnet(options),
    [`vae_decoder/model${suffix}.onnx`]: createDecoder(options),
    ...(options.generation && { 'generation_config.json': options.generation }),
  }
}
