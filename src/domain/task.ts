import { hashCanonical } from './canonical.ts'
import type { Address, Hash, Hex } from './hex.ts'
import type { AudioMedia, ImageMedia, Media } from './media.ts'
import { isPipelineKind, type PipelineKind } from './taskKinds.ts'

/** How a text ended; the number is `Result.finishReason`. `none` is for outputs that are not text. */
export const finishReasons = { none: 0, stop: 1, length: 2 } as const
export type FinishReason = keyof typeof finishReasons

/** Sampling parameters of text with every default written out: what paramsHash covers. Temperature 0 is greedy. */
export interface TextParams {
  maxTokens: number
  temperature: number
  /** nucleus, (0, 1] */
  topP: number
  /** 0: no limit */
  topK: number
  /** the text ends before the first of these; at most 4 */
  stop: string[]
  /** YYYY-MM-DD that a chat template which reads the clock is given */
  date: string
}

/** Embeddings are mean-pooled and L2-normalised unless the manifest says otherwise. */
export interface EmbeddingParams {
  normalize: boolean
}

/** Prompt token ids: the evidence. Text is derived from ids, never the other way round. */
export interface TextInput {
  tokenIds: number[]
}
export interface EmbeddingInput {
  /** one list of token ids per text */
  tokenIds: number[][]
}

export interface TextOutput {
  tokenIds: number[]
  finishReason: 'stop' | 'length'
}
export interface EmbeddingOutput {
  dimensions: number
  /** one base64 of little-endian float32[dimensions] per text */
  embeddings: string[]
}

/** A prompt as it was asked for: the model's own tokenizer, which the manifest pins, cuts it to the model's length. */
export interface ImageInput {
  prompt: string
  /** what the images should not show; empty: nothing */
  negativePrompt: string
}

export const imageSchedulers = ['euler', 'euler-ancestral', 'ddim', 'dpm-solver++', 'lcm'] as const
export type ImageScheduler = (typeof imageSchedulers)[number]

/** How images are made, with every default written out. Image `i` of a task starts from the noise of (seed, i). */
export interface ImageParams {
  /** images, 1 to the manifest's `maxBatch` */
  count: number
  width: number
  height: number
  steps: number
  /** classifier-free guidance (Ho and Salimans 2022), 0 to 30; up to 1: without, as distilled models want it */
  guidance: number
  scheduler: ImageScheduler
}

/** PNGs in the order of their seeds. */
export interface ImageOutput {
  images: ImageMedia[]
}

/** What a pipeline kind is given; which parts there are, the registry's `takes` says. */
export interface PipelineInput {
  text?: string
  /** candidate labels */
  labels?: string[]
  media?: Media
}

export interface ScoredLabel {
  label: string
  /** 0 to 1 */
  score: number
}
export interface TimedText {
  startMs: number
  endMs: number
  text: string
}

/** Params and output of every pipeline kind, with every default written out. */
export interface PipelineShapes {
  transcription: {
    params: {
      /** ISO 639-1; null: the model finds out, or knows one only */
      language: string | null
      /** `translate`: into English, where the model can */
      task: 'transcribe' | 'translate'
      timestamps: 'none' | 'segment' | 'word'
    }
    /** segments and words are empty unless asked for */
    output: { text: string; segments: TimedText[]; words: TimedText[] }
  }
  speech: { params: { voice: string | null; speed: number }; output: { audio: AudioMedia } }
  translation: { params: { source: string | null; target: string | null; maxTokens: number }; output: { text: string } }
  summarization: { params: { maxTokens: number }; output: { text: string } }
  'text-classification': { params: { topK: number }; output: { labels: ScoredLabel[] } }
  'zero-shot-classification': { params: { multiLabel: boolean }; output: { labels: ScoredLabel[] } }
  'token-classification': { params: Record<never, never>; output: { entities: (ScoredLabel & { text: string; start: number; end: number })[] } }
  'image-classification': { params: { topK: number }; output: { labels: ScoredLabel[] } }
  'object-detection': {
    params: { threshold: number }
    /** pixels of the image as it came */
    output: { objects: (ScoredLabel & { box: { left: number; top: number; right: number; bottom: number } })[] }
  }
  captioning: { params: { maxTokens: number }; output: { text: string } }
  /** 16-bit grey PNG of the input's size: 65,535 is nearest */
  'depth-estimation': { params: Record<never, never>; output: { image: ImageMedia } }
  'image-to-image': { params: Record<never, never>; output: { image: ImageMedia } }
}
export type PipelineOutput = PipelineShapes[PipelineKind]['output']
export type PipelineContent = { [K in PipelineKind]: { kind: K; input: PipelineInput; params: PipelineShapes[K]['params'] } }[PipelineKind]

/** Task content by kind: the one place where kind, input, params and output belong together. */
export type TaskContent =
  | { kind: 'chat' | 'completion'; input: TextInput; params: TextParams }
  | { kind: 'embedding'; input: EmbeddingInput; params: EmbeddingParams }
  | { kind: 'image'; input: ImageInput; params: ImageParams }
  | PipelineContent
export type TaskOutput = TextOutput | EmbeddingOutput | ImageOutput | PipelineOutput

/** True for contents of the generic runner. */
export function isPipelineContent(content: TaskContent): content is PipelineContent {
  return isPipelineKind(content.kind)
}

/** Media that a content names: what a miner needs besides the content itself. */
export function listInputMedia(content: TaskContent): Media[] {
  return isPipelineContent(content) && content.input.media !== undefined ? [content.input.media] : []
}

/** Media that an output names: what a miner hands in with it. */
export function listOutputMedia(output: TaskOutput): Media[] {
  if ('images' in output) return output.images
  if ('image' in output) return [output.image]
  return 'audio' in output ? [output.audio] : []
}

/** queued → assigned → running → done | failed | dead | cancelled. `failed`: no miner could do better; `dead`: three distinct miners failed. */
export const taskStates = ['queued', 'assigned', 'running', 'done', 'failed', 'dead', 'cancelled'] as const
export type TaskState = (typeof taskStates)[number]
export const openTaskStates: readonly TaskState[] = ['queued', 'assigned', 'running']

/** Distinct miners that must fail a task before it is dead. */
export const maxFailedMiners = 3

/** Why one attempt ended without a result. `counts` attempts by distinct miners lead to `dead`. */
export interface AttemptFailure {
  attempt: number
  miner: Address
  /** stable error code */
  code: string
  message: string
  at: number
}

/** Hash of the input as assignments carry it. */
export function toInputHash(input: TaskContent['input']): Hash {
  return hashCanonical(input)
}

/** Hash of the params as assignments carry it. */
export function toParamsHash(params: TaskContent['params']): Hash {
  return hashCanonical(params)
}

/** Hash of the output as results carry it: token ids and finish reason, or the float32 vectors. */
export function toOutputHash(output: TaskOutput): Hash {
  return hashCanonical(output)
}

/** Paid units: output tokens of text (0 for an empty text); all other kinds cost what they asked for. */
export function toUnits(content: TaskContent, output: TaskOutput): bigint {
  return 'tokenIds' in output ? BigInt(output.tokenIds.length) : toMaxUnits(content)
}

/** The most units a task can cost: max tokens of text, all input tokens of embeddings, and see {@link countImageSteps}, {@link countPipelineUnits}. */
export function toMaxUnits(content: TaskContent): bigint {
  if (content.kind === 'embedding') return BigInt(content.input.tokenIds.reduce((sum, ids) => sum + ids.length, 0))
  if (content.kind === 'image') return countImageSteps(content.params)
  if (isPipelineContent(content)) return countPipelineUnits(content)
  return BigInt(content.params.maxTokens)
}

/** An image step is one step of denoising over 65,536 pixels, 256 × 256, or a part of them: images × steps × started areas. */
function countImageSteps({ count, steps, width, height }: ImageParams): bigint {
  return BigInt(count * steps * Math.ceil((width * height) / 65_536))
}

/** Tokens of output that come with the characters of a text, for kinds that write: about twice what a translation or a summary takes. */
export function countIncludedTokens(text: string): number {
  return 32 + 2 * text.length
}

/**
 * Characters of the text, once per label where there are labels, and each token asked for beyond {@link countIncludedTokens}: else
 * one character would buy the longest text that a model writes. Started seconds; started megapixels. At least 1.
 */
function countPipelineUnits({ input, params }: PipelineContent): bigint {
  const { text = '', labels, media } = input
  if (media === undefined) {
    const tokens = 'maxTokens' in params ? Math.max(0, params.maxTokens - countIncludedTokens(text)) : 0
    return BigInt(Math.max(1, text.length * (labels?.length ?? 1)) + tokens)
  }
  const units = 'durationMs' in media ? media.durationMs / 1_000 : (media.width * media.height) / 1e6
  return BigInt(Math.max(1, Math.ceil(units)))
}

/**
 * A task id: 8 bytes of the store's incarnation, then 24 random bytes. A coordinator restored from a backup starts a new
 * incarnation, so it can never sign two assignments for one id.
 */
export function toTaskId(incarnation: number, random24: Uint8Array): Hash {
  return `0x${incarnation.toString(16).padStart(16, '0')}${Buffer.from(random24).toString('hex')}` as Hex
}
