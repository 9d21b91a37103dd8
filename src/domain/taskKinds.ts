/** The task kinds: what apps can ask for, each written down once. Wire schemas, runners, admission and documents derive from this registry. */

/** Kinds that one generic runner serves, a table row each. */
export const pipelineKinds = [
  'transcription',
  'speech',
  'translation',
  'summarization',
  'text-classification',
  'zero-shot-classification',
  'token-classification',
  'image-classification',
  'object-detection',
  'captioning',
  'depth-estimation',
  'image-to-image',
] as const
export type PipelineKind = (typeof pipelineKinds)[number]

export const taskKinds = ['chat', 'completion', 'embedding', 'image', ...pipelineKinds] as const
export type TaskKind = (typeof taskKinds)[number]

/** What a model does, as its manifest says. A text model serves chats and completions; every other kind of model the tasks of its name. */
export const modelKinds = ['text', 'embedding', 'image', ...pipelineKinds] as const
export type ModelKind = (typeof modelKinds)[number]

/** What media a kind takes or gives. */
export type MediaClass = 'image' | 'audio'

/**
 * How an audit compares a second run with the claimed result; null: results of this kind cannot be screened.
 * `logits`: gap of the claimed token per position; `vectors`: cosine and largest difference; `pixels`: distance of the decoded
 * images; `labels`: same labels, scores within a margin; `text`: the same greedy text.
 */
export type AuditRule = 'logits' | 'vectors' | 'pixels' | 'labels' | 'text' | null

/** What a task costs by. */
export type TaskUnit = 'output token' | 'input token' | 'image step' | 'second of audio' | 'input character' | 'megapixel'

export interface TaskKindTraits {
  modelKind: ModelKind
  /** the route that apps of the field know; `/v1/tasks` takes every kind */
  apiPath:
    | '/v1/chat/completions'
    | '/v1/completions'
    | '/v1/embeddings'
    | '/v1/images/generations'
    | '/v1/audio/transcriptions'
    | '/v1/audio/speech'
    | '/v1/tasks'
  summary: string
  takes: { text: boolean; labels: boolean; media: MediaClass | null }
  gives: MediaClass | null
  unit: TaskUnit
  limits: {
    /** UTF-16 units of the text, before it is tokenised; 0: it takes none, or the model's context decides */
    maxCharacters: number
    /** of the media as it comes, and decoded: pixels, or seconds */
    maxMediaBytes: number
    maxPixels: number
    maxSeconds: number
  }
  audit: AuditRule
}

/**
 * Of one medium in a result. Wide enough for the largest that an admitted task can honestly give: 4096 × 4096 pixels in RGB are
 * 48 MiB where nothing can be compressed, and the longest text is spoken in some minutes.
 */
export const outputLimits = Object.freeze({ maxMediaBytes: 50 * 2 ** 20, maxPixels: 4096 * 4096, maxSeconds: 3_600 })

/**
 * Media that come inside the result's own request: so many, each so small. A request of its own costs miner and coordinator some
 * milliseconds, and what is larger is better on its way while the model makes the next.
 */
export const carriedLimits = Object.freeze({ maxMedia: 32, maxMediaBytes: 65_536 })

/** Token ids that the input of one task may hold, over all its texts. */
export const maxInputTokens = 2 ** 20

/** Image to image: an upscaler may make 4 × 4 pixels of each, and what comes out is still inside {@link outputLimits}. */
export const maxUpscale = 4

const noMedia = { maxMediaBytes: 0, maxPixels: 0, maxSeconds: 0 }
const imageIn = { maxMediaBytes: 20 * 2 ** 20, maxPixels: 4096 * 4096, maxSeconds: 0 }
const text = { text: true, labels: false, media: null }
const image = { text: false, labels: false, media: 'image' } as const

const traits: { readonly [K in TaskKind]: TaskKindTraits } = {
  chat: {
    modelKind: 'text',
    apiPath: '/v1/chat/completions',
    summary: 'answers a chat',
    takes: text,
    gives: null,
    unit: 'output token',
    limits: { maxCharacters: 0, ...noMedia },
    audit: 'logits',
  },
  completion: {
    modelKind: 'text',
    apiPath: '/v1/completions',
    summary: 'continues a text',
    takes: text,
    gives: null,
    unit: 'output token',
    limits: { maxCharacters: 0, ...noMedia },
    audit: 'logits',
  },
  embedding: {
    modelKind: 'embedding',
    apiPath: '/v1/embeddings',
    summary: 'vectors of texts',
    takes: text,
    gives: null,
    unit: 'input token',
    limits: { maxCharacters: 0, ...noMedia },
    audit: 'vectors',
  },
  image: {
    modelKind: 'image',
    apiPath: '/v1/images/generations',
    summary: 'draws images from a prompt',
    takes: text,
    gives: 'image',
    unit: 'image step',
    limits: { maxCharacters: 4_000, ...noMedia },
    audit: 'pixels',
  },
  transcription: {
    modelKind: 'transcription',
    apiPath: '/v1/audio/transcriptions',
    summary: 'writes down speech',
    takes: { text: false, labels: false, media: 'audio' },
    gives: null,
    unit: 'second of audio',
    // 25 MiB is what OpenAI's route takes (platform.openai.com/docs/api-reference/audio)
    limits: { maxCharacters: 0, maxMediaBytes: 25 * 2 ** 20, maxPixels: 0, maxSeconds: 3_600 },
    audit: 'text',
  },
  speech: {
    modelKind: 'speech',
    apiPath: '/v1/audio/speech',
    summary: 'speaks a text',
    takes: text,
    gives: 'audio',
    unit: 'input character',
    limits: { maxCharacters: 4_096, ...noMedia },
    audit: null,
  },
  translation: {
    modelKind: 'translation',
    apiPath: '/v1/tasks',
    summary: 'translates a text',
    takes: text,
    gives: null,
    unit: 'input character',
    limits: { maxCharacters: 20_000, ...noMedia },
    audit: 'text',
  },
  summarization: {
    modelKind: 'summarization',
    apiPath: '/v1/tasks',
    summary: 'sums a text up',
    takes: text,
    gives: null,
    unit: 'input character',
    limits: { maxCharacters: 50_000, ...noMedia },
    audit: 'text',
  },
  'text-classification': {
    modelKind: 'text-classification',
    apiPath: '/v1/tasks',
    summary: 'labels a text',
    takes: text,
    gives: null,
    unit: 'input character',
    limits: { maxCharacters: 20_000, ...noMedia },
    audit: 'labels',
  },
  'zero-shot-classification': {
    modelKind: 'zero-shot-classification',
    apiPath: '/v1/tasks',
    summary: 'labels a text with labels of the request',
    takes: { text: true, labels: true, media: null },
    gives: null,
    unit: 'input character',
    limits: { maxCharacters: 20_000, ...noMedia },
    audit: 'labels',
  },
  'token-classification': {
    modelKind: 'token-classification',
    apiPath: '/v1/tasks',
    summary: 'labels the words of a text',
    takes: text,
    gives: null,
    unit: 'input character',
    limits: { maxCharacters: 20_000, ...noMedia },
    audit: 'labels',
  },
  'image-classification': {
    modelKind: 'image-classification',
    apiPath: '/v1/tasks',
    summary: 'labels an image',
    takes: image,
    gives: null,
    unit: 'megapixel',
    limits: { maxCharacters: 0, ...imageIn },
    audit: 'labels',
  },
  'object-detection': {
    modelKind: 'object-detection',
    apiPath: '/v1/tasks',
    summary: 'finds objects in an image',
    takes: image,
    gives: null,
    unit: 'megapixel',
    limits: { maxCharacters: 0, ...imageIn },
    audit: 'labels',
  },
  captioning: {
    modelKind: 'captioning',
    apiPath: '/v1/tasks',
    summary: 'describes an image',
    takes: image,
    gives: null,
    unit: 'megapixel',
    limits: { maxCharacters: 0, ...imageIn },
    audit: 'text',
  },
  'depth-estimation': {
    modelKind: 'depth-estimation',
    apiPath: '/v1/tasks',
    summary: 'estimates the depth of every pixel',
    takes: image,
    gives: 'image',
    unit: 'megapixel',
    limits: { maxCharacters: 0, ...imageIn },
    audit: 'pixels',
  },
  'image-to-image': {
    modelKind: 'image-to-image',
    apiPath: '/v1/tasks',
    summary: 'turns an image into another, as an upscaler does',
    takes: image,
    gives: 'image',
    unit: 'megapixel',
    limits: { maxCharacters: 0, ...imageIn, maxPixels: outputLimits.maxPixels / maxUpscale ** 2 },
    audit: 'pixels',
  },
}

/** Every kind with its traits, frozen. */
export const taskKindTraits = deepFreeze(traits)

/** True for kinds of the generic runner. @example isPipelineKind('speech') // true */
export function isPipelineKind(kind: string): kind is PipelineKind {
  return (pipelineKinds as readonly string[]).includes(kind)
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part)
  return Object.freeze(value)
}
