import { z } from 'zod'
import type { AudioMedia, ImageMedia, Media } from '../domain/media.ts'
import {
  type EmbeddingOutput,
  type ImageOutput,
  imageSchedulers,
  type PipelineInput,
  type PipelineShapes,
  type TaskContent,
  type TaskOutput,
  type TextOutput,
} from '../domain/task.ts'
import { maxInputTokens, outputLimits, type PipelineKind, type TaskKind, taskKinds, taskKindTraits } from '../domain/taskKinds.ts'
import { zList } from './list.ts'
import { zHash } from './wire.ts'

const zSide = z.int().min(1).max(65_535)

export const zImageMedia = z
  .strictObject({
    sha256: zHash,
    bytes: z.int().min(1).max(outputLimits.maxMediaBytes),
    type: z.enum(['image/png', 'image/jpeg', 'image/webp']),
    width: zSide,
    height: zSide,
  })
  .meta({ id: 'ImageMedia' }) satisfies z.ZodType<ImageMedia>
export const zAudioMedia = z
  .strictObject({
    sha256: zHash,
    bytes: z.int().min(1).max(outputLimits.maxMediaBytes),
    type: z.enum(['audio/wav', 'audio/mpeg', 'audio/flac']),
    durationMs: z.int().min(0).max(86_400_000),
  })
  .meta({ id: 'AudioMedia' }) satisfies z.ZodType<AudioMedia>
export const zMedia: z.ZodType<Media> = z.union([zImageMedia, zAudioMedia])

const zTokenId = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
const zTokenIds = zList(zTokenId, maxInputTokens)
const zText = z.string().max(1_048_576)
const zMaxTokens = z.int().min(1).max(1_048_576)
const zTopK = z.int().min(1).max(1_000)
const zScore = z.number().min(0).max(1)

export const zTextParams = z.strictObject({
  maxTokens: zMaxTokens,
  temperature: z.number().min(0).max(2),
  topP: z.number().gt(0).max(1),
  topK: z.int().min(0).max(1_000_000),
  stop: zList(z.string().min(1).max(200), 4),
  date: z.iso.date(),
})
const text = {
  input: z.strictObject({ tokenIds: zTokenIds }),
  params: zTextParams,
  output: z.strictObject({ tokenIds: zTokenIds, finishReason: z.enum(['stop', 'length']) }),
}

/** ISO 639, with what some models add behind it: `en`, `eng_Latn`, `zh-CN`. */
export const zLanguage = z.string().regex(/^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}$/, "must be a language code such as 'en'")
export const zLabels = zList(z.string().min(1).max(200), 64).min(1)
export const zVoice = z.string().min(1).max(100)
export const zSpeed = z.number().min(0.25).max(4)
export const zImageParams = z.strictObject({
  count: z.int().min(1).max(64),
  width: z.int().min(8).max(16_384),
  height: z.int().min(8).max(16_384),
  steps: z.int().min(1).max(1_000),
  guidance: z.number().min(0).max(30).describe('0 to 1: without guidance'),
  scheduler: z.enum(imageSchedulers),
})

const zTimedTexts = zList(z.strictObject({ startMs: z.int().min(0), endMs: z.int().min(0), text: zText }), 100_000)
const scored = { label: z.string().max(1_000), score: zScore }
const zScoredLabels = zList(z.strictObject(scored), 1_000)
const noParams = z.strictObject({})
const textOutput = z.strictObject({ text: zText })
const labelOutput = z.strictObject({ labels: zScoredLabels })

/** Output of a kind. */
export type OutputOf<K extends TaskKind> = K extends PipelineKind
  ? PipelineShapes[K]['output']
  : K extends 'image'
    ? ImageOutput
    : K extends 'embedding'
      ? EmbeddingOutput
      : TextOutput

interface PipelineSchemas<K extends PipelineKind> {
  params: z.ZodType<PipelineShapes[K]['params']>
  output: z.ZodType<PipelineShapes[K]['output']>
}
const pipelines: { readonly [K in PipelineKind]: PipelineSchemas<K> } = {
  transcription: {
    params: z.strictObject({
      language: zLanguage.nullable(),
      task: z.enum(['transcribe', 'translate']),
      timestamps: z.enum(['none', 'segment', 'word']),
    }),
    output: z.strictObject({ text: zText, segments: zTimedTexts, words: zTimedTexts }),
  },
  speech: { params: z.strictObject({ voice: zVoice.nullable(), speed: zSpeed }), output: z.strictObject({ audio: zAudioMedia }) },
  translation: {
    params: z.strictObject({ source: zLanguage.nullable(), target: zLanguage.nullable(), maxTokens: zMaxTokens }),
    output: textOutput,
  },
  summarization: { params: z.strictObject({ maxTokens: zMaxTokens }), output: textOutput },
  'text-classification': { params: z.strictObject({ topK: zTopK }), output: labelOutput },
  'zero-shot-classification': { params: z.strictObject({ multiLabel: z.boolean() }), output: labelOutput },
  'token-classification': {
    params: noParams,
    output: z.strictObject({
      entities: zList(z.strictObject({ ...scored, text: z.string().max(10_000), start: z.int().min(0), end: z.int().min(0) }), 100_000),
    }),
  },
  'image-classification': { params: z.strictObject({ topK: zTopK }), output: labelOutput },
  'object-detection': {
    params: z.strictObject({ threshold: zScore }),
    output: z.strictObject({
      objects: zList(
        z.strictObject({
          ...scored,
          box: z.strictObject({ left: z.number().min(0), top: z.number().min(0), right: z.number().min(0), bottom: z.number().min(0) }),
        }),
        10_000,
      ),
    }),
  },
  captioning: { params: z.strictObject({ maxTokens: zMaxTokens }), output: textOutput },
  'depth-estimation': { params: noParams, output: z.strictObject({ image: zImageMedia }) },
  'image-to-image': { params: noParams, output: z.strictObject({ image: zImageMedia }) },
}

function toPipelineInput(kind: PipelineKind): z.ZodType<PipelineInput> {
  const { takes } = taskKindTraits[kind]
  return z.strictObject({
    ...(takes.text && { text: zText.min(1) }),
    ...(takes.labels && { labels: zLabels }),
    ...(takes.media === 'image' && { media: zImageMedia }),
    ...(takes.media === 'audio' && { media: zAudioMedia }),
  }) as unknown as z.ZodType<PipelineInput>
}

type ContentPart<K extends TaskKind> = TaskContent extends infer C ? (C extends { kind: TaskKind } ? (K extends C['kind'] ? C : never) : never) : never
interface KindSchemas<K extends TaskKind> {
  input: z.ZodType<ContentPart<K>['input']>
  params: z.ZodType<ContentPart<K>['params']>
  output: z.ZodType<OutputOf<K>>
}

/** The wire forms of a task's parts by its kind: what miners are sent and hand in, what receipts are checked with. */
export const kindSchemas: { readonly [K in TaskKind]: KindSchemas<K> } = {
  chat: text,
  completion: text,
  embedding: {
    input: z.strictObject({ tokenIds: zList(zTokenIds, 2048).min(1) }),
    params: z.strictObject({ normalize: z.boolean() }),
    output: z.strictObject({ dimensions: z.int().min(1).max(65_536), embeddings: zList(z.string(), 2048).min(1) }),
  },
  image: {
    input: z.strictObject({ prompt: zText.min(1), negativePrompt: zText }),
    params: zImageParams,
    output: z.strictObject({ images: zList(zImageMedia, 64).min(1) }),
  },
  ...(Object.fromEntries(
    Object.entries(pipelines).map(([kind, schemas]) => [kind, { input: toPipelineInput(kind as PipelineKind), ...schemas }]),
  ) as unknown as { readonly [K in PipelineKind]: KindSchemas<K> }),
}

/** What zod's discriminated union is typed by; what it holds is typed by {@link TaskContent}. */
export type Discriminable = [z.core.$ZodTypeDiscriminable]

const contents = taskKinds.map((kind) => z.strictObject({ kind: z.literal(kind), input: kindSchemas[kind].input, params: kindSchemas[kind].params }))
export const zTaskContent = z.discriminatedUnion('kind', contents as unknown as Discriminable).meta({ id: 'TaskContent' }) as unknown as z.ZodType<TaskContent>

// Kinds share schemas of outputs: each stands once.
const outputs = [...new Set<z.ZodType<TaskOutput>>(taskKinds.map((kind) => kindSchemas[kind].output))]
export const zTaskOutput: z.ZodType<TaskOutput> = z.union(outputs).meta({ id: 'TaskOutput' })
