import { dirname, join } from 'node:path'
import { inferenceFailed, modelFileInvalid, modelLoadFailed } from '../../errors/inference.ts'
import { assertFinite } from '../assertFinite.ts'
import { findGraphFile } from '../diffusersLayout.ts'
import { type ModelToLoad, toReason } from '../loadModel.ts'
import { embedGuidance } from './guidance.ts'
import { type Graph, type GraphInput, loadGraph, type NumberTensor } from './loadGraph.ts'
import type { DiffusersConfig } from './readDiffusersConfig.ts'

/** A prompt as the U-Net reads it: float32[1, tokens, width]. */
export type PromptStates = NumberTensor

/** The three networks of a Stable-Diffusion-class model. Numbers in and out are float32 whatever the graphs compute in. */
export interface DiffusionGraphs {
  /** true: the U-Net reads the guidance itself */
  readsGuidance: boolean
  encodePrompt(tokenIds: number[]): Promise<PromptStates>
  /** The U-Net's output for one sample[1, channels, height, width], once per prompt; in one call where the graph takes that many. */
  predict(sample: NumberTensor, prompts: PromptStates[], timestep: number, guidance: number): Promise<Float32Array[]>
  /** picture[1, 3, height, width] of latents[1, channels, height, width], −1 to 1 */
  decode(latents: NumberTensor): Promise<NumberTensor>
  release(): Promise<void>
}

/**
 * The graphs of a diffusers folder, loaded on their device.
 * @throws CUCKOO_MODEL_LOAD_FAILED with the runtime's reason; CUCKOO_MODEL_FILE_INVALID when a graph lacks an input
 */
export async function loadDiffusionGraphs({ folder, manifest, device }: ModelToLoad, config: DiffusersConfig): Promise<DiffusionGraphs> {
  const { model, dtype } = manifest
  const paths = new Set(manifest.files.map(({ path }) => path))
  const load = async (part: Parameters<typeof findGraphFile>[1], inputs: string[]): Promise<LoadedGraph> => {
    const file = findGraphFile(paths, part, dtype) as string
    const graph = await loadGraph(join(folder, ...file.split('/')), device).catch((error: unknown) => {
      throw modelLoadFailed({ model, device, reason: `${dirname(file)}: ${toReason(error)}` }, { cause: error })
    })
    const missing = inputs.find((name) => !graph.inputs.has(name))
    if (missing !== undefined) throw modelFileInvalid({ model, file, problem: `its graph has no input ${missing}` })
    return { graph, run: (feeds, output) => runGraph({ model, dtype, device }, part, graph, feeds, output) }
  }
  // One after another: sessions of one WebGPU device must not be created at once either.
  const text = await load('text_encoder', ['input_ids'])
  const unet = await load('unet', ['sample', 'timestep', 'encoder_hidden_states'])
  const vae = await load('vae_decoder', ['latent_sample'])
  const guidanceWidth = findGuidanceWidth(unet.graph, config)
  return {
    readsGuidance: guidanceWidth !== null,
    encodePrompt: (tokenIds) => {
      const shape = [1, tokenIds.length]
      const mask = text.graph.inputs.has('attention_mask') && { attention_mask: { data: tokenIds.map(() => 1), shape } }
      return text.run({ input_ids: { data: tokenIds, shape }, ...mask }, 'last_hidden_state')
    },
    predict: async (sample, prompts, timestep, guidance) => {
      const batch = findBatch(unet.graph) ?? prompts.length
      const outputs: Float32Array[] = []
      for (let start = 0; start < prompts.length; start += batch) {
        const states = Array.from({ length: batch }, (_, index) => prompts[start + index] ?? (prompts.at(-1) as PromptStates))
        const output = await unet.run(
          {
            sample: repeatTensor(sample, batch),
            timestep: toTimestep(unet.graph, timestep, batch),
            encoder_hidden_states: joinTensors(states),
            ...(guidanceWidth !== null && { timestep_cond: repeatTensor({ data: embedGuidance(guidance, guidanceWidth), shape: [1, guidanceWidth] }, batch) }),
          },
          'out_sample',
        )
        const size = output.data.length / batch
        for (let index = 0; index < Math.min(batch, prompts.length - start); index++) outputs.push(output.data.slice(index * size, (index + 1) * size))
      }
      return outputs
    },
    decode: (latents) => vae.run({ latent_sample: latents }, 'sample'),
    release: async () => {
      for (const { graph } of [text, unet, vae]) await graph.release()
    },
  }
}

interface LoadedGraph {
  graph: Graph
  /** @throws CUCKOO_INFERENCE_FAILED with the runtime's reason; CUCKOO_INFERENCE_NOT_FINITE */
  run(inputs: Record<string, NumberTensor>, output: string): Promise<{ data: Float32Array; shape: number[] }>
}

type Names = { model: string; dtype: string; device: string }

async function runGraph(names: Names, part: string, graph: Graph, feeds: Record<string, NumberTensor>, output: string) {
  const outputs = await graph.run(feeds).catch((error: unknown) => {
    throw inferenceFailed({ model: names.model, reason: `${part}: ${toReason(error)}` }, { cause: error })
  })
  const [first] = outputs.values()
  const tensor = outputs.get(output) ?? first
  if (tensor === undefined) throw inferenceFailed({ model: names.model, reason: `${part}: it gave no output` })
  assertFinite({ data: tensor.data, dims: tensor.shape }, 'values', { ...names, part })
  return tensor
}

/** Width of the guidance that the U-Net reads; null where its graph does not. */
function findGuidanceWidth(unet: Graph, { guidanceWidth }: DiffusersConfig): number | null {
  const input = unet.inputs.get('timestep_cond')
  if (input === undefined) return null
  const width = input.shape.at(-1)
  return typeof width === 'number' ? width : (guidanceWidth ?? 256)
}

/** The batch that the U-Net's graph is fixed to; undefined: any. */
function findBatch(unet: Graph): number | undefined {
  const [batch] = (unet.inputs.get('sample') as GraphInput).shape
  return typeof batch === 'number' && batch > 0 ? batch : undefined
}

/** The time in the shape the graph asks for: a scalar, one number, or one per sample. */
function toTimestep(unet: Graph, timestep: number, batch: number): NumberTensor {
  const { shape } = unet.inputs.get('timestep') as GraphInput
  if (shape.length === 0) return { data: [timestep], shape: [] }
  const [size] = shape
  const [sampleBatch] = (unet.inputs.get('sample') as GraphInput).shape
  const count = typeof size === 'number' && size > 0 ? size : size === sampleBatch ? batch : 1
  return { data: new Array<number>(count).fill(timestep), shape: [count] }
}

function repeatTensor(tensor: NumberTensor, count: number): NumberTensor {
  return count === 1 ? tensor : joinTensors(new Array<NumberTensor>(count).fill(tensor))
}

/** Tensors of one shape [1, …] as [count, …]. */
function joinTensors(tensors: NumberTensor[]): NumberTensor {
  const [first] = tensors as [NumberTensor]
  const data = new Float32Array(first.data.length * tensors.length)
  for (const [index, tensor] of tensors.entries()) data.set(tensor.data, index * first.data.length)
  return { data, shape: [tensors.length, ...first.shape.slice(1)] }
}
