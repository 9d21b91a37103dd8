import type { TaskRequest } from '../api/requestSchemas.ts'
import type { RouteInput } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import { parameterUnsupported, requestInvalid } from '../errors/api.ts'
import { assertParameters, toSeed } from './openaiParameters.ts'

type ImageBody = RouteInput<Routes['createImage']>['body']
type SpeechBody = RouteInput<Routes['createSpeech']>['body']
type TranscriptionFields = RouteInput<Routes['createTranscription']>['body']['fields']

const known = {
  image: new Set(['model', 'prompt', 'n', 'size', 'response_format', 'user', 'seed', 'steps', 'guidance', 'negative_prompt', 'scheduler']),
  speech: new Set(['model', 'input', 'voice', 'speed']),
  transcription: new Set(['model', 'language', 'response_format', 'timestamp_granularities']),
}

/** Values of parameters we do not have that ask for what happens anyway. */
const neutral = {
  image: {
    quality: ['auto', 'standard'],
    background: ['auto', 'opaque'],
    moderation: ['auto'],
    output_format: ['png'],
    output_compression: [100],
    partial_images: [0],
    stream: [false],
  },
  speech: { response_format: ['wav'], stream_format: ['audio'] },
  transcription: { temperature: ['0', '0.0'], stream: ['false'] },
} as const

/**
 * The task that an OpenAI image request asks of `model`.
 * @throws CUCKOO_API_PARAMETER_UNSUPPORTED for a parameter that cannot be honoured, by its name
 */
export function fromImageBody(body: ImageBody, model: string): TaskRequest {
  assertParameters(body, known.image, neutral.image)
  const [width, height] = body.size === null || body.size === undefined || body.size === 'auto' ? [] : body.size.split('x').map(Number)
  return {
    model,
    kind: 'image',
    input: { prompt: body.prompt, negativePrompt: body.negative_prompt ?? undefined },
    params: {
      count: body.n ?? undefined,
      width,
      height,
      steps: body.steps ?? undefined,
      guidance: body.guidance ?? undefined,
      scheduler: body.scheduler ?? undefined,
    },
    seed: toSeed(body.seed),
  }
}

/**
 * The task that an OpenAI speech request asks for.
 * @throws CUCKOO_API_PARAMETER_UNSUPPORTED for a parameter that cannot be honoured, by its name
 */
export function fromSpeechBody(body: SpeechBody): TaskRequest {
  assertParameters(body, known.speech, neutral.speech)
  return { model: body.model, kind: 'speech', input: { text: body.input }, params: { voice: body.voice ?? undefined, speed: body.speed ?? undefined } }
}

/**
 * The task that an OpenAI transcription request asks for, of the medium with SHA-256 `sha256`.
 * @throws CUCKOO_API_PARAMETER_UNSUPPORTED for a parameter that cannot be honoured, by its name
 */
export function fromTranscriptionFields(fields: TranscriptionFields, sha256: `0x${string}`): TaskRequest {
  assertParameters(fields, known.transcription, neutral.transcription)
  return {
    model: fields.model,
    kind: 'transcription',
    input: { media: { sha256 } },
    params: { language: toLanguage(fields.language), timestamps: toTimestamps(fields) },
  }
}

function toLanguage(language: string | undefined): string | undefined {
  if (language === undefined || language === '') return undefined
  if (!/^[A-Za-z]{2,3}$/.test(language)) throw requestInvalid({ where: 'body language', problem: 'is no ISO 639-1 code', param: 'language' })
  return language.toLowerCase()
}

function toTimestamps({ response_format: format, timestamp_granularities: granularities }: TranscriptionFields): 'none' | 'segment' | 'word' {
  if (granularities === undefined) return format === 'json' || format === 'text' ? 'none' : 'segment'
  if (format !== 'verbose_json') throw parameterUnsupported({ parameter: 'timestamp_granularities', when: `with response_format ${format}` })
  const [first, second] = granularities
  // A run makes one or the other.
  if (second !== undefined && second !== first) throw parameterUnsupported({ parameter: 'timestamp_granularities', when: 'with both granularities at once' })
  return first as 'segment' | 'word'
}
