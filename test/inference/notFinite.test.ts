import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, OpenModel } from '../../src/domain/enginePort.ts'
import type { Dtype } from '../../src/domain/manifest.ts'
import type { MediaFile } from '../../src/domain/media.ts'
import type { PipelineContent } from '../../src/domain/task.ts'
import { type ModelKind, modelKinds, type PipelineKind } from '../../src/domain/taskKinds.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { breakGraph, maskedBelow, nanAbove, scaledBy } from '../support/breakGraph.ts'
import { toDiffusersModelFiles } from '../support/diffusersModel.ts'
import { toMaskedModelFiles } from '../support/embeddingGraphs.ts'
import { toHalfModelFiles } from '../support/halfGraph.ts'
import { createPicture, createTones, createWav } from '../support/mediaFiles.ts'
import { writeModelFiles } from '../support/onnx.ts'
import { toTinyDecoder } from '../support/tinyDecoder.ts'
import type { Files } from '../support/tinyGraphs.ts'
import { toTinyCtc } from '../support/tinyMediaModels.ts'
import { toTinyModel } from '../support/tinyModels.ts'
import { toTinyWhisper } from '../support/tinyWhisper.ts'

let engine: Engine
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-finite-'))
  engine = createEngine({ modelsDirectory: join(directory, 'hub'), offline: true })
})
afterAll(async () => {
  await engine.dispose()
  rmSync(directory, { recursive: true, force: true })
})

let models = 0
/** Opens the model, asks it, and closes it. */
async function using(files: Files, ask: (model: OpenModel) => Promise<unknown>, dtype: Dtype = 'fp32'): Promise<void> {
  const name = `test/model${++models}`
  writeModelFiles(join(directory, name), files)
  const model = await engine.openModel({ model: name, source: { from: 'folder', directory }, dtype, device: 'cpu' })
  await ask(model).finally(() => model.dispose())
}
const withGraph = (files: Files, path: string, ...change: [output: string, change: Parameters<typeof breakGraph>[2]]): Files => ({
  ...files,
  [path]: breakGraph(files[path] as Buffer, ...change),
})

type Ask = (model: OpenModel) => Promise<unknown>
type Given = { text?: string; labels?: string[]; file?: MediaFile }
type Params<K extends PipelineKind> = Extract<PipelineContent, { kind: K }>['params']

const ask =
  <K extends PipelineKind>(kind: K, params: Params<K>) =>
  ({ file, ...input }: Given): Ask =>
  async (model) =>
    (await model.runPipeline({ kind, input: { ...input, ...(file && { media: file.media }) }, params } as PipelineContent, file?.data ?? null)).output
const generate =
  (...tokenIds: number[]): Ask =>
  async (model) =>
    (await model.generateText({ tokenIds }, { maxTokens: 3, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }, 0n)).output.tokenIds
const embed =
  (tokenIds: number[], normalize = true): Ask =>
  async (model) =>
    (await model.embed({ tokenIds: [tokenIds] }, { normalize })).output
const draw =
  (prompt: string): Ask =>
  async (model) =>
    (await model.generateImages({ prompt, negativePrompt: '' }, { count: 1, width: 64, height: 64, steps: 2, guidance: 1, scheduler: 'ddim' }, 1n)).output
const say = (text: string) => ({ text })
const show = (red: number, blue = 0) => ({ file: createPicture(12, 8, () => [red, 0, blue]) })
const transcribe = ask('transcription', { language: 'en', task: 'transcribe', timestamps: 'none' })
const timeWords = ask('transcription', { language: 'en', task: 'transcribe', timestamps: 'word' })
const hear = ask('transcription', { language: null, task: 'transcribe', timestamps: 'none' })
const translate = ask('translation', { source: null, target: null, maxTokens: 20 })
const classify = ask('text-classification', { topK: 2 })
const estimate = ask('depth-estimation', {})
const detect = ask('object-detection', { threshold: 0.5 })

const notFinite = (output: string) =>
  expect.objectContaining({
    code: 'CUCKOO_INFERENCE_NOT_FINITE',
    // No request is at fault: a miner counts it against itself and gives the task to another.
    kind: 'invalid',
    message: expect.stringMatching(new RegExp(`^'test/model\\d+' gave numbers that are not finite in fp32 on cpu, in its ${output}\\.$`)),
    hint: '`cuckoo models verify` shows whether its files are whole.',
  })

/** A model that computes NaN where a number of a tensor is above a limit. */
interface Case {
  files: Files
  graph?: string
  /** what the error names */
  part: string
  output?: string
  watched: string
  limit: number
  good: Ask
  bad: Ask
}
const quiet = { file: createWav(new Float32Array(16_000)) }
const loud = { file: createWav(createTones(16_000, [[300, 1]])) }
const merged = 'onnx/decoder_model_merged.onnx'
const pixels = { watched: 'pixel_values', limit: 0.7 }
const [dark, bright] = [show(100), show(255)]
const summarize = ask('summarization', { maxTokens: 20 })
const findTopics = ask('zero-shot-classification', { multiLabel: false })
const findEntities = ask('token-classification', {})
const classifyImage = ask('image-classification', { topK: 1 })
const caption = ask('captioning', { maxTokens: 10 })
const enlarge = ask('image-to-image', {})
const speak = ask('speech', { voice: null, speed: 1 })

// Limits lie between the ids of words, in the order of each tiny model's vocabulary: a word that comes late is the bad one.
const cases: { readonly [K in ModelKind]: Case } = {
  text: { files: toTinyDecoder('fp32'), part: 'logits', watched: 'input_ids', limit: 59.5, good: generate(1, 1), bad: generate(60, 1) },
  embedding: {
    files: toMaskedModelFiles('masked'),
    part: 'embeddings',
    output: 'last_hidden_state',
    watched: 'input_ids',
    limit: 4.5,
    good: embed([1, 4]),
    bad: embed([1, 5]),
  },
  image: {
    files: toDiffusersModelFiles(),
    graph: 'unet/model.onnx',
    part: 'unet',
    output: 'out_sample',
    watched: 'encoder_hidden_states',
    limit: 1,
    good: draw('nothing'),
    bad: draw('red'),
  },
  transcription: {
    files: toTinyModel('transcription'),
    graph: merged,
    part: 'logits',
    watched: 'encoder_hidden_states',
    limit: 0,
    good: transcribe(quiet),
    bad: transcribe(loud),
  },
  speech: { files: toTinyModel('speech'), part: 'waveform', watched: 'input_ids', limit: 1.5, good: speak(say('a')), bad: speak(say('ab')) },
  // The decoder is given what it wrote: `world`, `bark` and `blue` make the next step fail.
  translation: {
    files: toTinyModel('translation'),
    graph: merged,
    part: 'logits',
    watched: 'input_ids',
    limit: 8.5,
    good: translate(say('guten tag')),
    bad: translate(say('guten tag welt')),
  },
  summarization: {
    files: toTinyModel('summarization'),
    graph: merged,
    part: 'logits',
    watched: 'input_ids',
    limit: 6.5,
    good: summarize(say('cats purr .')),
    bad: summarize(say('dogs bark .')),
  },
  'text-classification': {
    files: toTinyModel('text-classification'),
    part: 'logits',
    watched: 'input_ids',
    limit: 6.5,
    good: classify(say('good')),
    bad: classify(say('good film')),
  },
  'zero-shot-classification': {
    files: toTinyModel('zero-shot-classification'),
    part: 'logits',
    watched: 'input_ids',
    limit: 9.5,
    good: findTopics({ text: 'cats', labels: ['cats', 'ships'] }),
    bad: findTopics({ text: 'cats', labels: ['cats', 'stars'] }),
  },
  'token-classification': {
    files: toTinyModel('token-classification'),
    part: 'logits',
    watched: 'input_ids',
    limit: 7.5,
    good: findEntities(say('Ada')),
    bad: findEntities(say('Ada lives')),
  },
  'image-classification': {
    files: toTinyModel('image-classification'),
    part: 'logits',
    ...pixels,
    good: classifyImage(dark),
    bad: classifyImage(bright),
  },
  'object-detection': { files: toTinyModel('object-detection'), part: 'logits', ...pixels, good: detect(dark), bad: detect(bright) },
  captioning: {
    files: toTinyModel('captioning'),
    graph: merged,
    part: 'logits',
    watched: 'input_ids',
    limit: 7.5,
    good: caption(show(255)),
    bad: caption(show(0, 255)),
  },
  'depth-estimation': { files: toTinyModel('depth-estimation'), part: 'predicted_depth', ...pixels, good: estimate(dark), bad: estimate(bright) },
  'image-to-image': { files: toTinyModel('image-to-image'), part: 'reconstruction', ...pixels, good: enlarge(dark), bad: enlarge(bright) },
}

describe('NaN is an error of the miner, not a result', () => {
  const refuse = ({ files, graph = 'onnx/model.onnx', part, output = part, watched, limit, good, bad }: Case) =>
    using(withGraph(files, graph, output, nanAbove(watched, limit)), async (model) => {
      const first = await good(model)
      await expect(bad(model)).rejects.toThrow(notFinite(part))
      expect(await good(model)).toEqual(first)
    })

  it.each(modelKinds)('%s', async (kind) => {
    await refuse(cases[kind])
  })

  it('transcription without a decoder', () =>
    refuse({ files: toTinyCtc(), part: 'logits', watched: 'input_values', limit: 0.4, good: hear(quiet), bad: hear(loud) }))

  it('boxes of objects', () => refuse({ ...cases['object-detection'], part: 'pred_boxes' }))

  it('the attention that words are timed by', () =>
    refuse({ ...cases.transcription, part: 'cross_attentions.0', good: timeWords(quiet), bad: timeWords(loud) }))
})

describe('of numbers that go into the result', () => {
  const overflowing = withGraph(toTinyModel('depth-estimation'), 'onnx/model.onnx', 'predicted_depth', scaledBy(100_000))

  it('infinite ones are an error too, which says where they are finite', async () => {
    await using(overflowing, async (model) => expect(await estimate(bright)(model)).toHaveProperty('image'))
    const refused = expect.objectContaining({ code: 'CUCKOO_INFERENCE_NOT_FINITE', hint: 'Its numbers overflow there: run it with --dtype fp32.' })
    await using(toHalfModelFiles(overflowing), (model) => expect(estimate(bright)(model)).rejects.toThrow(refused), 'fp16')
  })

  it('a vector of nothing but zeros is no direction', () =>
    using(withGraph(toMaskedModelFiles('masked'), 'onnx/model.onnx', 'last_hidden_state', scaledBy(0)), async (model) => {
      expect(await embed([1], false)(model)).toMatchObject({ dimensions: 4 })
      await expect(embed([1], true)(model)).rejects.toThrow(notFinite('embeddings'))
    }))

  // 3 × 5² / 8 is above 9, the texts that a model is tried with stay below: it takes texts together.
  it('those of one text spoil no other that shares its run', () =>
    using(withGraph(toMaskedModelFiles('masked'), 'onnx/model.onnx', 'last_hidden_state', nanAbove('sum', 9)), async (model) => {
      const alone = await embed([1, 4])(model)
      const ends = await Promise.allSettled([embed([2])(model), embed([1, 4])(model), embed([5, 5, 5])(model), embed([1, 4])(model)])
      expect(ends).toMatchObject([{ status: 'fulfilled' }, { value: alone }, { reason: { code: 'CUCKOO_INFERENCE_NOT_FINITE' } }, { value: alone }])
    }))
})

describe('of scores', () => {
  it('minus infinity rules a token or a label out', async () => {
    const translator = withGraph(toTinyModel('translation'), merged, 'logits', maskedBelow(0))
    await using(translator, async (model) => expect(await translate(say('guten tag welt'))(model)).toEqual({ text: 'good day world' }))
    const classifier = withGraph(toTinyModel('text-classification'), 'onnx/model.onnx', 'logits', maskedBelow(1))
    const labels = [
      { label: 'positive', score: 1 },
      { label: 'negative', score: 0 },
    ]
    await using(classifier, async (model) => expect(await classify(say('good'))(model)).toEqual({ labels }))
    const decoder = withGraph(toTinyDecoder('fp32'), 'onnx/model.onnx', 'logits', maskedBelow(-1))
    await using(decoder, async (model) => expect(await generate(1, 1)(model)).toEqual([2, 3, 5]))
  })

  it('some must be left', async () => {
    const classifier = withGraph(toTinyModel('text-classification'), 'onnx/model.onnx', 'logits', maskedBelow(100))
    await using(classifier, (model) => expect(classify(say('good'))(model)).rejects.toThrow(notFinite('logits')))
  })
})

it('what a result is not made of may be anything: attention where no head tells when a word was said', () =>
  using(withGraph(toTinyWhisper({ wordTimestamps: false }), merged, 'cross_attentions.0', nanAbove('encoder_hidden_states', 0)), async (model) => {
    expect(await transcribe(loud)(model)).toHaveProperty('text')
  }))
