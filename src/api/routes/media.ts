import { z } from 'zod'
import { imageSchedulers } from '../../domain/task.ts'
import { outputLimits, taskKindTraits } from '../../domain/taskKinds.ts'
import * as errors from '../../errors/api.ts'
import { defineRoute, outputAnswerBytes } from '../defineRoute.ts'
import { zMedia, zSpeed, zVoice } from '../kindSchemas.ts'
import { zList } from '../list.ts'
import { served } from '../servedErrors.ts'
import { zHash, zModelName } from '../wire.ts'

/**
 * Images and audio: up- and download, and OpenAI's routes for them (platform.openai.com/docs/api-reference/images and /audio).
 * Their bodies are loose objects: what is not named here is refused by name in coordinator/mediaRequest.ts, never ignored.
 */
export const uploadMedia = defineRoute({
  id: 'uploadMedia',
  method: 'POST',
  path: '/v1/media',
  auth: 'app',
  body: 'media',
  maxBodyBytes: taskKindTraits.transcription.limits.maxMediaBytes,
  summary: 'Keeps an image (PNG, JPEG, WebP) or a sound (WAV, MP3, FLAC) for tasks to name by its SHA-256. What it is, its first bytes say.',
  response: zMedia,
  errors: [errors.mediaBytesExceeded, errors.mediaQuotaExceeded, errors.uploadsFull, errors.storageLow],
})

export const getMedia = defineRoute({
  id: 'getMedia',
  method: 'GET',
  path: '/v1/media/:hash',
  auth: 'none',
  maxResponseBytes: outputLimits.maxMediaBytes,
  params: z.object({ hash: zHash }),
  summary: 'The bytes of a medium. No key is asked for: whoever knows the SHA-256 was given it, or has the medium.',
  response: 'bytes',
  responseTypes: ['image/png', 'image/jpeg', 'image/webp', 'audio/wav', 'audio/mpeg', 'audio/flac'],
  errors: [errors.mediaAbsent, errors.downloadsFull],
})

export const createImage = defineRoute({
  id: 'createImage',
  method: 'POST',
  path: '/v1/images/generations',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  summary: 'Draws images from a prompt. Their progress can be watched at /v1/tasks/{id}/events.',
  body: z.looseObject({
    model: zModelName.nullish().describe('default: the first image model that is offered'),
    prompt: z.string().min(1).max(taskKindTraits.image.limits.maxCharacters),
    n: z.int().min(1).max(64).nullish(),
    size: z
      .string()
      .regex(/^(?:auto|[1-9]\d{0,4}x[1-9]\d{0,4})$/, "must be like '512x512', or 'auto'")
      .nullish()
      .describe('default: what the model was made for'),
    response_format: z.enum(['url', 'b64_json']).nullish().describe('default url'),
    user: z.string().max(512).nullish().describe('taken and not used: cuckoo tells miners nothing about users'),
    seed: z
      .union([z.int().min(0), z.string().regex(/^\d{1,20}$/)])
      .nullish()
      .describe('ours: uint64, as a decimal string when over 2^53; drawn at random when left out'),
    steps: z.int().min(1).max(1_000).nullish().describe('ours'),
    guidance: z.number().min(0).max(30).nullish().describe('ours: how closely to follow the prompt; 0 to 1: without guidance'),
    negative_prompt: z.string().max(taskKindTraits.image.limits.maxCharacters).nullish().describe('ours'),
    scheduler: z.enum(imageSchedulers).nullish().describe('ours'),
  }),
  response: z.object({
    created: z.int(),
    data: zList(z.object({ url: z.string().optional(), b64_json: z.string().optional() }), 64),
    size: z.string(),
    output_format: z.literal('png'),
  }),
  errors: served,
})

const segment = z.object({ id: z.int(), start: z.number(), end: z.number(), text: z.string() })
export const createTranscription = defineRoute({
  id: 'createTranscription',
  method: 'POST',
  path: '/v1/audio/transcriptions',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  maxBodyBytes: taskKindTraits.transcription.limits.maxMediaBytes,
  summary: 'Writes down speech (WAV, MP3 or FLAC).',
  body: {
    file: 'file',
    fields: z.looseObject({
      model: zModelName,
      language: z.string().max(20).optional().describe('ISO 639-1; default: the model finds out'),
      response_format: z.enum(['json', 'text', 'srt', 'vtt', 'verbose_json']).default('json'),
      timestamp_granularities: zList(z.enum(['word', 'segment']), 2)
        .min(1)
        .optional()
        .describe('as timestamp_granularities[], with verbose_json'),
    }),
  },
  plainText: true,
  response: z.union([
    z.object({
      task: z.literal('transcribe'),
      language: z.string(),
      duration: z.number().describe('seconds'),
      text: z.string(),
      segments: zList(segment, 100_000).optional(),
      words: zList(z.object({ word: z.string(), start: z.number(), end: z.number() }), 100_000).optional(),
    }),
    z.object({ text: z.string() }),
    z.string(),
  ]),
  errors: [...served, errors.mediaBytesExceeded, errors.mediaQuotaExceeded, errors.uploadsFull, errors.storageLow],
})

export const createSpeech = defineRoute({
  id: 'createSpeech',
  method: 'POST',
  path: '/v1/audio/speech',
  auth: 'app',
  maxResponseBytes: outputLimits.maxMediaBytes,
  summary: 'Speaks a text.',
  body: z.looseObject({
    model: zModelName,
    input: z.string().min(1).max(taskKindTraits.speech.limits.maxCharacters),
    voice: zVoice.nullish().describe('default: the model’s own'),
    speed: zSpeed.nullish(),
    response_format: z.string().max(20).nullish().describe('wav, which is the default'),
  }),
  response: 'bytes',
  responseTypes: ['audio/wav'],
  errors: served,
})
