import { z } from 'zod'
import { type TaskKind, taskKinds, taskKindTraits } from '../domain/taskKinds.ts'
import { type Discriminable, zImageParams, zLabels, zLanguage, zSpeed, zTextParams, zVoice } from './kindSchemas.ts'
import { zList } from './list.ts'
import { zAddress, zHash, zModelName, zUint64 } from './wire.ts'

/** A medium that was uploaded to /v1/media, by its SHA-256, or a `data:` URL. */
export const zMediaSource = z
  .union([z.strictObject({ sha256: zHash }), z.string().min(1)])
  .describe('{ sha256 } of a medium that was uploaded to /v1/media, or a data: URL in base64; no other URL is ever fetched')
  .meta({ id: 'MediaSource' })

const zMessages = zList(z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }), 1000).min(1)

/** Bounded by the registry, so that no tokenizer ever sees more. */
const toText = (kind: TaskKind) => z.string().min(1).max(taskKindTraits[kind].limits.maxCharacters)
const fromText = (kind: TaskKind) => z.strictObject({ text: toText(kind) })
const fromMedia = z.strictObject({ media: zMediaSource })
const noParams = z.strictObject({})
const maxTokens = zTextParams.shape.maxTokens.optional()
const topK = z.int().min(1).max(1_000).optional().describe('labels, the likeliest first; default 5')
const textParams = zTextParams.partial()

/** What apps ask for by kind: requests as they think of them, before anything is tokenised, decoded or filled in. */
export const requestSchemas = {
  chat: { input: z.strictObject({ messages: zMessages }), params: textParams },
  completion: { input: z.strictObject({ prompt: z.string().min(1) }), params: textParams },
  embedding: { input: z.strictObject({ texts: zList(z.string().min(1), 2048).min(1) }), params: z.strictObject({ normalize: z.boolean().optional() }) },
  image: {
    input: z.strictObject({ prompt: toText('image'), negativePrompt: z.string().max(taskKindTraits.image.limits.maxCharacters).optional() }),
    params: zImageParams.partial(),
  },
  transcription: {
    input: fromMedia,
    params: z.strictObject({
      language: zLanguage.optional(),
      task: z.enum(['transcribe', 'translate']).optional(),
      timestamps: z.enum(['none', 'segment', 'word']).optional(),
    }),
  },
  speech: { input: fromText('speech'), params: z.strictObject({ voice: zVoice.optional(), speed: zSpeed.optional() }) },
  translation: { input: fromText('translation'), params: z.strictObject({ source: zLanguage.optional(), target: zLanguage.optional(), maxTokens }) },
  summarization: { input: fromText('summarization'), params: z.strictObject({ maxTokens }) },
  'text-classification': { input: fromText('text-classification'), params: z.strictObject({ topK }) },
  'zero-shot-classification': {
    input: z.strictObject({ text: toText('zero-shot-classification'), labels: zLabels }),
    params: z.strictObject({ multiLabel: z.boolean().optional() }),
  },
  'token-classification': { input: fromText('token-classification'), params: noParams },
  'image-classification': { input: fromMedia, params: z.strictObject({ topK }) },
  'object-detection': { input: fromMedia, params: z.strictObject({ threshold: z.number().min(0).max(1).optional().describe('least score; default 0.5') }) },
  captioning: { input: fromMedia, params: z.strictObject({ maxTokens }) },
  'depth-estimation': { input: fromMedia, params: noParams },
  'image-to-image': { input: fromMedia, params: noParams },
} satisfies { readonly [K in TaskKind]: { input: z.ZodObject; params: z.ZodObject } }

const head = {
  model: zModelName,
  seed: zUint64.optional().describe('of kinds that draw: text and images'),
  miner: zAddress.optional().describe('only this miner may run it: for testing one’s own'),
}

/** A task as an app asks for it, whichever route it came by. */
export type TaskRequest = {
  [K in TaskKind]: {
    kind: K
    model: string
    input: z.output<(typeof requestSchemas)[K]['input']>
    params: z.output<(typeof requestSchemas)[K]['params']>
    /** uint64; drawn at random when left out */
    seed?: bigint | undefined
    miner?: z.output<typeof zAddress> | undefined
  }
}[TaskKind]

const requests = taskKinds.map((kind) =>
  z.strictObject({
    kind: z.literal(kind),
    ...head,
    input: requestSchemas[kind].input,
    params: (requestSchemas[kind].params as z.ZodObject).default({}),
    dryRun: z.boolean().default(false),
  }),
)
/** The body of POST /v1/tasks. */
export const zTaskRequest = z.discriminatedUnion('kind', requests as unknown as Discriminable) as unknown as z.ZodType<TaskRequest & { dryRun: boolean }>
