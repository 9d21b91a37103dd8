/** What each kind of task is asked in a network whose miner runs tiny graphs, the answer that its graph must give, and bad input. */
import { createHash } from 'node:crypto'
import { env, LogLevel, pipeline } from '@huggingface/transformers'
import { decode } from 'fast-png'
import { expect } from 'vitest'
import type { OutputOf } from '../../src/api/kindSchemas.ts'
import type { TaskRequest } from '../../src/api/requestSchemas.ts'
import type { MediaFile } from '../../src/domain/media.ts'
import type { TaskKind } from '../../src/domain/taskKinds.ts'
import { colours } from './diffusersModel.ts'
import { createPicture, createTones, createWav } from './mediaFiles.ts'
import { storyteller } from './models.ts'

type RequestOf<K extends TaskKind> = Extract<TaskRequest, { kind: K }>

/** What became of a task, with the bytes of the media that it gave. */
export interface Answer<K extends TaskKind> {
  id: string
  text: string | null
  output: OutputOf<K>
  files: Uint8Array[]
}

/** `status`: of HTTP; `failed`: the request is taken, and the model refuses it. */
export type Expected = readonly [status: number | 'failed', code: string, message: RegExp]

/** What is asked over what the case asks for otherwise. */
export type Change = { input?: object; params?: object; seed?: string }
type Refusal = readonly [Change, Expected]

export interface KindCase<K extends TaskKind> {
  model: string
  /** of kinds that take a medium the file itself, which goes in by upload and as a data: URL */
  input: RequestOf<K>['input'] extends { media: unknown } ? MediaFile : RequestOf<K>['input']
  params: RequestOf<K>['params']
  seed?: string
  check(answer: Answer<K>): void | Promise<void>
  /** asked at /v1/tasks */
  refused: readonly [Refusal, ...Refusal[]]
  /** the route that apps of the field know, where the kind has one; null: it has none */
  own: OwnRoute<K> | null
}
export interface OwnRoute<K extends TaskKind> {
  body: Fields
  check(response: Response, native: Answer<K>): Promise<void>
  refused: readonly [change: Fields, expected: Expected]
}
/** A JSON body, or with a file in it a form. */
export type Fields = Record<string, unknown>

export function isFile(value: unknown): value is MediaFile {
  return typeof value === 'object' && value !== null && 'data' in value && 'media' in value
}

export const toSha256 = (data: Uint8Array) => `0x${createHash('sha256').update(data).digest('hex')}`

const invalid = 'CUCKOO_API_REQUEST_INVALID'
const unsupported = 'CUCKOO_API_PARAMETER_UNSUPPORTED'
const tooLong = 'CUCKOO_INFERENCE_CONTEXT_EXCEEDED'
const lacking = 'CUCKOO_INFERENCE_FEATURE_MISSING'

const prompt = 'Once upon a time'
const messages = [{ role: 'user' as const, content: 'Tell me a story about a brave fox and a red kite.' }]
const greedy = { temperature: 0, maxTokens: 24 }
/** 40 words and what begins and ends a text: more than the 32 tokens of the tiny models */
const long = 'cats '.repeat(40)
const red = createPicture(12, 8, () => [255, 0, 0])
const green = createPicture(20, 30, () => [0, 255, 0])
const lowHigh = createWav(
  createTones(16_000, [
    [300, 0.5],
    [5_000, 0.5],
  ]),
)
const nowhere = { media: { sha256: `0x${'5'.repeat(64)}` } }
export const toDataUrl = ({ data, media }: MediaFile) => `data:${media.type};base64,${Buffer.from(data).toString('base64')}`
const softmax = (logits: number[], index: number) => Math.exp(logits[index] as number) / logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
const scored = (label: string, logits: number[], index: number, digits = 5) => ({ label, score: expect.closeTo(softmax(logits, index), digits) })

/** What transformers.js itself says, greedily, in this process. */
async function generateDirectly(input: string | typeof messages): Promise<string> {
  Object.assign(env, { allowRemoteModels: false, logLevel: LogLevel.NONE, localModelPath: storyteller.directory })
  const generate = await pipeline('text-generation', storyteller.model, { dtype: 'fp32', device: 'cpu' })
  const [answer] = (await generate(input as string, { max_new_tokens: greedy.maxTokens, do_sample: false, return_full_text: false })) as {
    generated_text: string | { content: string }[]
  }[]
  await generate.dispose()
  const text = answer?.generated_text
  return (typeof text === 'string' ? text : text?.at(-1)?.content) as string
}

function assertRed(png: Uint8Array): void {
  const { width, height, channels, data } = decode(png)
  expect([width, height]).toEqual([64, 64])
  for (const [channel, expected] of (colours['red'] as number[]).entries()) {
    let sum = 0
    for (let pixel = 0; pixel < width * height; pixel++) sum += (data[pixel * channels + channel] as number) / 127.5 - 1
    expect(sum / (width * height)).toBeCloseTo(expected, 1)
  }
}

export const kindCases: { readonly [K in TaskKind]: KindCase<K> } = {
  chat: {
    model: storyteller.model,
    input: { messages },
    params: greedy,
    check: async ({ text }) => expect(text).toBe(await generateDirectly(messages)),
    refused: [[{ params: { maxTokens: 100_000 } }, [400, invalid, /100000 is more than the \d+ output tokens of 'cuckoo\/storyteller'/]]],
    own: {
      body: { messages, temperature: 0, max_tokens: greedy.maxTokens },
      check: async (response, { text }) => expect(await response.json()).toMatchObject({ choices: [{ message: { role: 'assistant', content: text } }] }),
      refused: [{ logprobs: true }, [400, unsupported, /'logprobs' = true/]],
    },
  },
  completion: {
    model: storyteller.model,
    input: { prompt },
    params: greedy,
    check: async ({ text }) => expect(text).toBe(await generateDirectly(prompt)),
    refused: [[{ input: { prompt: 'fox '.repeat(1_000) } }, [400, 'CUCKOO_TASK_PROMPT_TOO_LONG', /has 3001 tokens; at most \d+ fit/]]],
    own: {
      body: { prompt, temperature: 0, max_tokens: greedy.maxTokens },
      check: async (response, { text }) => expect(await response.json()).toMatchObject({ choices: [{ text }] }),
      refused: [{ best_of: 3 }, [400, unsupported, /'best_of' = 3/]],
    },
  },
  embedding: {
    model: 'tiny/words',
    input: { texts: ['one two', 'three'] },
    params: { normalize: false },
    check({ output: { dimensions, embeddings } }) {
      expect(dimensions).toBe(4)
      const vectors = embeddings.map((text) => [...new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer)])
      // rows 0 and 1 of the table, [0, 0, 1, 0] / 8 and [1, 1, 1, -1] / 8, and row 2
      expect(vectors).toEqual([
        [0.0625, 0.0625, 0.125, -0.0625],
        [0.25, 0.5, 0.125, -0.25],
      ])
    },
    refused: [[{ input: { texts: ['one '.repeat(13)] } }, [400, 'CUCKOO_TASK_PROMPT_TOO_LONG', /has 13 tokens; at most 12 fit/]]],
    own: {
      body: { input: ['one two'] },
      async check(response) {
        const { data } = (await response.json()) as { data: { embedding: number[] }[] }
        const length = Math.sqrt(0.0625 ** 2 * 3 + 0.125 ** 2)
        expect(data).toMatchObject([{ embedding: [0.0625, 0.0625, 0.125, -0.0625].map((value) => expect.closeTo(value / length, 6)) }])
      },
      refused: [{ dimensions: 2 }, [400, unsupported, /'dimensions' = 2/]],
    },
  },
  image: {
    model: 'tiny/colours',
    input: { prompt: 'red' },
    params: { width: 64, height: 64, steps: 10, guidance: 1 },
    seed: '7',
    check: ({ files: [png] }) => assertRed(png as Uint8Array),
    refused: [
      [{ params: { width: 63, height: 64 } }, [400, invalid, /63 by 64 pixels are not multiples of 8/]],
      [{ input: { prompt: '' } }, [400, invalid, /input\.prompt/]],
    ],
    own: {
      body: { prompt: 'red', size: '64x64', steps: 10, guidance: 1, seed: '7', n: 2, response_format: 'url' },
      async check(response, { files }) {
        const { data } = (await response.json()) as { data: { url: string }[] }
        const drawn = await Promise.all(data.map(async ({ url }) => new Uint8Array(await (await fetch(url)).arrayBuffer())))
        expect(drawn).toHaveLength(2)
        for (const png of drawn) assertRed(png)
        // the same seed as the native request's, whose only image is the first of these two
        expect(toSha256(drawn[0] as Uint8Array)).toBe(toSha256(files[0] as Uint8Array))
      },
      refused: [{ size: '64x20' }, [400, invalid, /64 by 20 pixels/]],
    },
  },
  transcription: {
    model: 'tiny/transcription',
    input: lowHigh,
    params: { language: 'en', timestamps: 'segment' },
    check: ({ output }) => expect(output).toEqual({ text: 'low up', segments: [{ startMs: 0, endMs: 1_000, text: 'low up' }], words: [] }),
    refused: [
      [{ params: { language: 'fr' } }, ['failed', lacking, /fr/]],
      [{ input: { media: toDataUrl(red) } }, [422, 'CUCKOO_MEDIA_UNKNOWN', /The audio cannot be read/]],
      [{ input: nowhere }, [404, 'CUCKOO_API_MEDIA_ABSENT', /0x5{64}/]],
    ],
    own: {
      body: { file: lowHigh, language: 'en', response_format: 'verbose_json', 'timestamp_granularities[]': 'word' },
      check: async (response) => {
        const words = [
          { word: 'low', start: 0, end: 0.5 },
          { word: 'up', start: 0.5, end: expect.closeTo(0.98, 1) },
        ]
        expect(await response.json()).toMatchObject({ text: 'low up', duration: 1, words })
      },
      refused: [{ language: 'fr' }, [422, 'CUCKOO_TASK_FAILED', /fr/]],
    },
  },
  speech: {
    model: 'tiny/speech',
    input: { text: 'ab' },
    params: {},
    check({ output, files }) {
      expect(output).toMatchObject({ audio: { type: 'audio/wav', durationMs: 13 } })
      const samples = Buffer.from(files[0] as Uint8Array).subarray(44)
      // 100 samples of 0.5, then 100 of -0.25
      expect([samples.length, samples.readInt16LE(0), samples.readInt16LE(398)]).toEqual([400, Math.round(0.5 * 32_767), Math.round(-0.25 * 32_767)])
    },
    refused: [
      [{ params: { voice: 'alloy' } }, ['failed', lacking, /alloy/]],
      [{ params: { speed: 9 } }, [400, invalid, /params\.speed: .*<=4, not 9/]],
    ],
    own: {
      body: { input: 'ab' },
      async check(response, { files }) {
        expect(response.headers.get('content-type')).toBe('audio/wav')
        expect(new Uint8Array(await response.arrayBuffer())).toEqual(files[0])
      },
      refused: [{ voice: 'alloy' }, [422, 'CUCKOO_TASK_FAILED', /alloy/]],
    },
  },
  translation: {
    model: 'tiny/translation',
    input: { text: 'Guten Tag Welt' },
    params: {},
    check: ({ output, text }) => expect([output, text]).toEqual([{ text: 'good day world' }, 'good day world']),
    refused: [
      [{ params: { source: 'de', target: 'fr' } }, ['failed', lacking, /de to fr/]],
      [{ params: { maxTokens: 33 } }, [400, invalid, /33 is more than the 32/]],
    ],
    own: null,
  },
  summarization: {
    model: 'tiny/summarization',
    input: { text: 'Cats purr . dogs bark .' },
    params: { maxTokens: 20 },
    check: ({ output }) => expect(output).toEqual({ text: 'cats purr' }),
    refused: [
      [{ input: { text: long } }, ['failed', tooLong, /41 prompt tokens .* the 32 tokens of 'tiny\/summarization'/]],
      [{ params: { maxTokens: 33 } }, [400, invalid, /33 is more than the 32/]],
    ],
    own: null,
  },
  'text-classification': {
    model: 'tiny/text-classification',
    input: { text: 'The film is GOOD' },
    params: { topK: 2 },
    // six tokens with [CLS] and [SEP], of which one has 9
    check: ({ output }) => expect(output).toEqual({ labels: [scored('positive', [0, 1.5], 1), scored('negative', [0, 1.5], 0)] }),
    refused: [
      [{ input: { text: long } }, ['failed', tooLong, /42 prompt tokens .* the 32 tokens/]],
      [{ seed: '7' }, [400, unsupported, /'seed' = 7/]],
    ],
    own: null,
  },
  'zero-shot-classification': {
    model: 'tiny/zero-shot-classification',
    input: { text: 'cats purr', labels: ['ships', 'cats'] },
    params: {},
    check: ({ output }) => expect(output).toEqual({ labels: [scored('cats', [4, 2], 0), scored('ships', [4, 2], 1)] }),
    refused: [
      [{ input: { text: long, labels: ['cats'] } }, ['failed', tooLong, /the 32 tokens/]],
      [{ input: { text: 'cats purr', labels: ['cats', 'cats'] } }, [400, invalid, /input\.labels: names .cats. twice/]],
    ],
    own: null,
  },
  'token-classification': {
    model: 'tiny/token-classification',
    input: { text: '  Ada  Lovelace lives in Bérlin. Ada' },
    params: {},
    check({ output }) {
      const person = scored('PER', [5, 0, 0, 0], 0)
      expect(output).toEqual({
        entities: [
          { ...person, text: 'Ada  Lovelace', start: 2, end: 15 },
          { ...person, label: 'LOC', text: 'Bérlin', start: 25, end: 31 },
          { ...person, text: 'Ada', start: 33, end: 36 },
        ],
      })
    },
    refused: [
      [{ input: { text: long } }, ['failed', tooLong, /42 prompt tokens .* the 32 tokens/]],
      [{ params: { topK: 1 } }, [400, invalid, /params\.topK: is not known here/]],
    ],
    own: null,
  },
  'image-classification': {
    model: 'tiny/image-classification',
    input: green,
    params: { topK: 1 },
    check: ({ output }) => expect(output).toEqual({ labels: [scored('green', [0, 6, 0], 1, 3)] }),
    refused: [
      [{ input: { media: 'https://example.com/cat.png' } }, [400, 'CUCKOO_API_MEDIA_URL_REFUSED', /'https:…' is not taken/]],
      [{ input: { media: toDataUrl(lowHigh) } }, [422, 'CUCKOO_MEDIA_UNKNOWN', /The image cannot be read/]],
    ],
    own: null,
  },
  'object-detection': {
    model: 'tiny/object-detection',
    input: createPicture(32, 16, (x, y) => (x >= 8 && x < 16 && y >= 4 && y < 12 ? [255, 0, 0] : [0, 0, 0])),
    params: { threshold: 0.9 },
    check: ({ output }) => expect(output).toEqual({ objects: [{ ...scored('box', [8, 0, 0], 0), box: { left: 8, top: 4, right: 16, bottom: 12 } }] }),
    refused: [
      [{ params: { threshold: 2 } }, [400, invalid, /params\.threshold: .*<=1, not 2/]],
      [{ input: nowhere }, [404, 'CUCKOO_API_MEDIA_ABSENT', /0x5{64}/]],
    ],
    own: null,
  },
  captioning: {
    model: 'tiny/captioning',
    input: green,
    params: { maxTokens: 10 },
    check: ({ output }) => expect(output).toEqual({ text: 'a green picture' }),
    refused: [
      [{ params: { maxTokens: 17 } }, [400, invalid, /17 is more than the 16/]],
      [{ input: { media: `data:image/png;base64,${'A'.repeat(5)}` } }, [400, 'CUCKOO_API_MEDIA_URL_REFUSED', /its base64 is broken/]],
    ],
    own: null,
  },
  'depth-estimation': {
    model: 'tiny/depth-estimation',
    input: createPicture(4, 2, (x, y) => [x * 10 + y * 40, x * 10 + y * 40, x * 10 + y * 40]),
    params: {},
    check({ output, files }) {
      expect(output).toMatchObject({ image: { type: 'image/png', width: 4, height: 2 } })
      const { depth, channels, data } = decode(files[0] as Uint8Array)
      expect([depth, channels, data.length]).toEqual([16, 1, 8])
      // brighter by the same step from pixel to pixel
      for (const [index, value] of data.entries()) expect(Math.abs(value - (index * 65_535) / 7)).toBeLessThan(2)
    },
    refused: [
      // its header is fine, its pixels are none
      [{ input: { media: toDataUrl({ ...red, data: red.data.slice().fill(255, 45, -20) }) } }, ['failed', 'CUCKOO_MEDIA_UNKNOWN', /The image cannot be read/]],
      [{ input: { media: `data:;base64,${Buffer.from('no medium').toString('base64')}` } }, [422, 'CUCKOO_MEDIA_UNKNOWN', /The image cannot be read/]],
    ],
    own: null,
  },
  'image-to-image': {
    model: 'tiny/image-to-image',
    input: createPicture(5, 3, (x, y) => [x * 50, y * 100, 7]),
    params: {},
    check({ output, files }) {
      expect(output).toMatchObject({ image: { width: 10, height: 6 } })
      const { channels, data } = decode(files[0] as Uint8Array)
      const expected = Array.from({ length: 60 }, (_, pixel) => [Math.floor((pixel % 10) / 2) * 50, Math.floor(Math.floor(pixel / 10) / 2) * 100, 7]).flat()
      expect({ channels, data: [...data] }).toEqual({ channels: 3, data: expected })
    },
    refused: [
      [
        { input: { media: toDataUrl(createPicture(1_025, 1_024, () => [0, 0, 0])) } },
        [422, 'CUCKOO_MEDIA_TOO_LARGE', /has 1049600 pixels, 1048576 are allowed/],
      ],
    ],
    own: null,
  },
}
