import { z } from 'zod'
import { taskKinds } from '../../domain/taskKinds.ts'
import * as errors from '../../errors/api.ts'
import { defineRoute, outputAnswerBytes } from '../defineRoute.ts'
import { zList } from '../list.ts'
import { served } from '../servedErrors.ts'
import { zImageTraits, zModelKind, zModelName } from '../wire.ts'

/**
 * OpenAI-compatible routes (platform.openai.com/docs/api-reference). Bodies are loose objects: a parameter that is not
 * named here is refused by name in coordinator/openai (CUCKOO_API_PARAMETER_UNSUPPORTED), never ignored.
 */
const sampling = {
  temperature: z.number().min(0).max(2).nullish().describe('0 is greedy; default 1'),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.int().min(0).max(1_000_000).nullish().describe('ours; 0: no limit'),
  seed: z
    .union([z.int().min(0), z.string().regex(/^\d{1,20}$/)])
    .nullish()
    .describe('uint64, as a decimal string when over 2^53; drawn at random when left out'),
  stop: z.union([z.string().min(1).max(200), zList(z.string().min(1).max(200), 4).min(1)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).nullish(),
  n: z.literal(1).nullish(),
  user: z.string().max(512).nullish().describe('taken and not used: cuckoo tells miners nothing about users'),
}

const usage = z.object({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
})
const finishReason = z.enum(['stop', 'length'])

const chatBody = z.looseObject({
  model: zModelName,
  messages: zList(
    z.strictObject({
      role: z.enum(['system', 'developer', 'user', 'assistant']),
      content: z.union([z.string(), zList(z.strictObject({ type: z.literal('text'), text: z.string() }), 1000).min(1)]),
      name: z.string().max(64).optional(),
    }),
    1000,
  ).min(1),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  ...sampling,
})
const completionBody = z.looseObject({
  model: zModelName,
  prompt: z.string().min(1),
  max_tokens: z.int().min(1).nullish(),
  ...sampling,
})
const embeddingBody = z.looseObject({
  model: zModelName,
  input: z.union([z.string().min(1), zList(z.string().min(1), 2048).min(1)]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  user: z.string().max(512).nullish(),
})

export const listModels = defineRoute({
  id: 'listModels',
  method: 'GET',
  path: '/v1/models',
  auth: 'app',
  maxResponseBytes: 16_777_216,
  summary: 'Models that miners offer here now, with their manifest and price.',
  response: z.object({
    object: z.literal('list'),
    data: zList(
      z.object({
        id: z.string(),
        object: z.literal('model'),
        created: z.int(),
        owned_by: z.string(),
        cuckoo: z.object({
          manifest: z.string(),
          kind: zModelKind,
          tasks: zList(z.enum(taskKinds), taskKinds.length).describe('kinds of task that it does'),
          dtype: z.string(),
          chat: z.boolean(),
          proof: z.string().describe('none: screened and paid, never slashed by a jury'),
          audit: z.string().nullable().describe('how a second run is compared; null: results cannot be screened'),
          unit: z.string().describe('what the unit price is for'),
          unitPriceWei: z.string(),
          contextTokens: z.int(),
          maxOutputTokens: z.int(),
          maxBatch: z.int().describe('texts or images of one request'),
          maxCharacters: z.int().describe('0: the context decides, or it takes no text'),
          maxMediaBytes: z.int().describe('of input media; 0: it takes none'),
          maxPixels: z.int().describe('of an input image'),
          maxSeconds: z.int().describe('of input audio'),
          image: zImageTraits.nullable().describe('of image models: what may be asked for, and what is given otherwise'),
          miners: z.int(),
        }),
      }),
      10000,
    ),
  }),
})

export const createChatCompletion = defineRoute({
  id: 'createChatCompletion',
  method: 'POST',
  path: '/v1/chat/completions',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  maxBodyBytes: 4_194_304,
  doneMarker: true,
  summary: 'Answers a chat; with `stream` token by token.',
  body: chatBody,
  response: z.object({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.int(),
    model: z.string(),
    choices: zList(
      z.object({
        index: z.int(),
        message: z.object({
          role: z.literal('assistant'),
          content: z.string(),
          refusal: z.null(),
        }),
        logprobs: z.null(),
        finish_reason: finishReason,
      }),
      1,
    ),
    usage,
  }),
  events: z.object({
    id: z.string(),
    object: z.literal('chat.completion.chunk'),
    created: z.int(),
    model: z.string(),
    choices: zList(
      z.object({
        index: z.int(),
        delta: z.object({
          role: z.literal('assistant').optional(),
          content: z.string().optional(),
        }),
        logprobs: z.null(),
        finish_reason: finishReason.nullable(),
      }),
      1,
    ),
    usage: usage.nullable().optional(),
    cuckoo: z.object({ task: z.string(), miner: z.string(), receipt: z.string() }).optional().describe('on the last chunk: who answered'),
  }),
  errors: [...served, errors.chatTemplateMissing, errors.streamDiverged],
})

export const createCompletion = defineRoute({
  id: 'createCompletion',
  method: 'POST',
  path: '/v1/completions',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  maxBodyBytes: 4_194_304,
  doneMarker: true,
  summary: 'Continues a text; with `stream` token by token.',
  body: completionBody,
  response: z.object({
    id: z.string(),
    object: z.literal('text_completion'),
    created: z.int(),
    model: z.string(),
    choices: zList(
      z.object({
        index: z.int(),
        text: z.string(),
        logprobs: z.null(),
        finish_reason: finishReason,
      }),
      1,
    ),
    usage,
  }),
  events: z.object({
    id: z.string(),
    object: z.literal('text_completion'),
    created: z.int(),
    model: z.string(),
    choices: zList(
      z.object({
        index: z.int(),
        text: z.string(),
        logprobs: z.null(),
        finish_reason: finishReason.nullable(),
      }),
      1,
    ),
    usage: usage.nullable().optional(),
    cuckoo: z.object({ task: z.string(), miner: z.string(), receipt: z.string() }).optional(),
  }),
  errors: [...served, errors.streamDiverged],
})

export const createEmbedding = defineRoute({
  id: 'createEmbedding',
  method: 'POST',
  path: '/v1/embeddings',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  maxBodyBytes: 4_194_304,
  summary: 'Vectors of one or several texts.',
  body: embeddingBody,
  response: z.object({
    object: z.literal('list'),
    model: z.string(),
    data: zList(
      z.object({
        object: z.literal('embedding'),
        index: z.int(),
        embedding: z.union([zList(z.number(), 65_536), z.string()]),
      }),
      2048,
    ),
    usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  }),
  errors: served,
})
