import { hashCanonical } from './canonical.ts'
import type { Address, Hash, Hex } from './hex.ts'

/** What an app can ask for. Chat and completion are both text generation over prompt token ids. */
export const taskKinds = ['chat', 'completion', 'embedding'] as const
export type TaskKind = (typeof taskKinds)[number]

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

/** Task content by kind: the one place where kind, input, params and output belong together. */
export type TaskContent =
  | { kind: 'chat' | 'completion'; input: TextInput; params: TextParams }
  | { kind: 'embedding'; input: EmbeddingInput; params: EmbeddingParams }
export type TaskOutput = TextOutput | EmbeddingOutput

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
export function toInputHash(input: TextInput | EmbeddingInput): Hash {
  return hashCanonical(input)
}

/** Hash of the params as assignments carry it. */
export function toParamsHash(params: TextParams | EmbeddingParams): Hash {
  return hashCanonical(params)
}

/** Hash of the output as results carry it: token ids and finish reason, or the float32 vectors. */
export function toOutputHash(output: TaskOutput): Hash {
  return hashCanonical(output)
}

/** Paid units: output tokens of text (0 for an empty text), input tokens of embeddings. */
export function toUnits(content: TaskContent, output: TaskOutput): bigint {
  if (content.kind === 'embedding') return BigInt(content.input.tokenIds.reduce((sum, ids) => sum + ids.length, 0))
  return BigInt((output as TextOutput).tokenIds.length)
}

/** The most units a task can cost: max tokens of text, all input tokens of embeddings. */
export function toMaxUnits(content: TaskContent): bigint {
  if (content.kind === 'embedding') return BigInt(content.input.tokenIds.reduce((sum, ids) => sum + ids.length, 0))
  return BigInt(content.params.maxTokens)
}

/**
 * A task id: 8 bytes of the store's incarnation, then 24 random bytes. A coordinator restored from a backup starts a new
 * incarnation, so it can never sign two assignments for one id.
 */
export function toTaskId(incarnation: number, random24: Uint8Array): Hash {
  return `0x${incarnation.toString(16).padStart(16, '0')}${Buffer.from(random24).toString('hex')}` as Hex
}
