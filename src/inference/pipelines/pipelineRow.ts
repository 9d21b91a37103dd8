import type { PreTrainedModel, RawImage } from '@huggingface/transformers'
import type { Manifest } from '../../domain/manifest.ts'
import type { MediaFile } from '../../domain/media.ts'
import type { PipelineShapes } from '../../domain/task.ts'
import type { PipelineKind } from '../../domain/taskKinds.ts'
import type { Reading } from '../assertFinite.ts'

type Transformers = typeof import('@huggingface/transformers')
export type Json = Record<string, unknown>

/** A family of models that do a kind's task: how its ONNX export looks, and what loads it. */
export interface PipelineVariant {
  /** names in config.json's `architectures` */
  architectures: RegExp
  /** ONNX files in `onnx/`, without dtype and extension */
  graphs: readonly string[]
  /** class of transformers.js 4.3.1 by name: the table is read where that library must not load */
  model: Extract<keyof Transformers, `AutoModelFor${string}`>
}

/** One kind of task: what a model's folder must hold, and how a task's content becomes a call and the call's result an output. */
export interface PipelineRow<K extends PipelineKind> {
  /** transformers.js' task; a model's `task_specific_params` go by this name */
  task: string
  /** class of transformers.js 4.3.1 */
  pipeline: Extract<keyof Transformers, `${string}Pipeline`>
  variants: readonly PipelineVariant[]
  /** files that must be there besides config.json and the graphs */
  files: readonly string[]
  /** what it writes is text made of tokens, and `maxOutputTokens` counts them */
  generates: boolean
  /** why a model with this config.json is not run, undefined when it is */
  findFlaw?(config: Json): string | undefined
  /** outputs of the graphs that the result is made of, by name; a model may lack those that some results do not need */
  reads(generation: Json): Readonly<Record<string, Reading>>
  /** what to change in a model once it is loaded */
  prepare?(model: PreTrainedModel): void
  run(call: PipelineCall<K>): Promise<{ output: PipelineShapes[K]['output']; files?: MediaFile[] }>
}

/** One run: the model, and the content's parts. Those that the kind does not take are empty. */
export interface PipelineCall<K extends PipelineKind> {
  manifest: Manifest
  model: LoadedPipeline
  params: PipelineShapes[K]['params']
  text: string
  labels: string[]
  image: RawImage
  /** float32[samples], mono, at the rate that the model's feature extractor names */
  audio: Float32Array
}

/** A model of transformers.js with what belongs to it. */
export interface LoadedPipeline {
  /** transformers.js' pipeline object */
  call(...parts: unknown[]): Promise<unknown>
  /** The model itself on named inputs, tensors to tensors. */
  forward(inputs: Json): Promise<Json>
  /** What the model's processor makes of audio: the features that `forward` takes. */
  extractFeatures(audio: Float32Array): Promise<Json>
  /** names of what its graphs give */
  outputs: string[]
  config: Json
  /** generation_config.json; empty where there is none */
  generation: Json
  /** preprocessor_config.json; empty where there is none */
  preprocessor: Json
  /** Token ids with the special tokens the model wants. */
  encode(text: string, pair?: string): number[]
  /** language codes that the tokenizer knows; empty unless it is one of a many-language translator */
  languages: string[]
}

export const singleGraph = ['model'] as const
/** As optimum exports models that generate: the decoder with and without its cache in one file. */
export const encoderDecoder = ['encoder_model', 'decoder_model_merged'] as const
export const textFiles = ['tokenizer.json', 'tokenizer_config.json'] as const
export const mediaFiles = ['preprocessor_config.json'] as const
/** `reads` of a model whose logits are all that its result is made of. */
export const readsLogits = () => ({ logits: 'scores' }) as const
