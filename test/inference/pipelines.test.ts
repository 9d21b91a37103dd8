import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from 'fast-png'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, OpenModel, PipelineRun } from '../../src/domain/enginePort.ts'
import type { PipelineContent } from '../../src/domain/task.ts'
import { type PipelineKind, pipelineKinds, taskKindTraits } from '../../src/domain/taskKinds.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { createManifest } from '../../src/inference/createManifest.ts'
import { createPipelineRunner } from '../../src/inference/pipelines/createPipelineRunner.ts'
import { createFlac, createMp3, createPicture, createTones, createWav } from '../support/mediaFiles.ts'
import { writeModelFiles } from '../support/onnx.ts'
import { toTinyCtc } from '../support/tinyMediaModels.ts'
import { writeTinyModel } from '../support/tinyModels.ts'
import { toTinyTranslator } from '../support/tinyTextModels.ts'
import { toTinyWhisper } from '../support/tinyWhisper.ts'

let engine: Engine
let directory: string
const opened = new Map<string, Promise<OpenModel>>()
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-pipelines-'))
  engine = createEngine({ modelsDirectory: join(directory, 'hub'), offline: true })
  for (const kind of pipelineKinds) await writeTinyModel(directory, kind)
})
afterAll(async () => {
  await engine.dispose()
  rmSync(directory, { recursive: true, force: true })
})

/** The model, opened once for all tests of this file. */
function open(model: string, kind?: PipelineKind): Promise<OpenModel> {
  const name = `${model}#${kind}`
  const found = opened.get(name) ?? engine.openModel({ model, source: { from: 'folder', directory }, dtype: 'fp32', device: 'cpu', ...(kind && { kind }) })
  opened.set(name, found)
  return found
}

type Params<K extends PipelineKind> = Extract<PipelineContent, { kind: K }>['params']
type File = { media: NonNullable<PipelineContent['input']['media']>; data: Uint8Array }
interface Given {
  text?: string
  labels?: string[]
  file?: File
  model?: string
  signal?: AbortSignal
}

async function run<K extends PipelineKind>(kind: K, { file, model = `tiny/${kind}`, signal, ...input }: Given, params: Params<K>): Promise<PipelineRun> {
  const content = { kind, input: { ...input, ...(file && { media: file.media }) }, params } as PipelineContent
  return (await open(model)).runPipeline(content, file?.data ?? null, signal === undefined ? {} : { signal })
}
const runOutput = async <K extends PipelineKind>(kind: K, given: Given, params: Params<K>) => (await run(kind, given, params)).output

const refused = (code: string, message = /./) => expect.objectContaining({ code, message: expect.stringMatching(message) })
const red = createPicture(12, 8, () => [255, 0, 0])
const silence = createWav(new Float32Array(1_600))
const softmax = (logits: number[], index: number) => Math.exp(logits[index] as number) / logits.reduce((sum, logit) => sum + Math.exp(logit), 0)

describe('every kind', () => {
  const params: { [K in PipelineKind]: Params<K> } = {
    transcription: { language: 'en', task: 'transcribe', timestamps: 'none' },
    speech: { voice: null, speed: 1 },
    translation: { source: null, target: null, maxTokens: 8 },
    summarization: { maxTokens: 8 },
    'text-classification': { topK: 1 },
    'zero-shot-classification': { multiLabel: false },
    'token-classification': {},
    'image-classification': { topK: 1 },
    'object-detection': { threshold: 0.5 },
    captioning: { maxTokens: 8 },
    'depth-estimation': {},
    'image-to-image': {},
  }
  const toGiven = (kind: PipelineKind): Given => {
    const { takes } = taskKindTraits[kind]
    return {
      ...(takes.text && { text: 'a' }),
      ...(takes.labels && { labels: ['cats'] }),
      ...(takes.media && { file: takes.media === 'image' ? red : silence }),
    }
  }

  it.each(pipelineKinds)('%s answers the same twice, with the media that its output names', async (kind) => {
    const [first, second] = [await run(kind, toGiven(kind), params[kind]), await run(kind, toGiven(kind), params[kind])]
    expect(second.output).toEqual(first.output)
    expect(first.files).toHaveLength(taskKindTraits[kind].gives === null ? 0 : 1)
    for (const { media, data } of first.files) {
      expect(Object.values(first.output)).toContainEqual(media)
      expect(data).toHaveLength(media.bytes)
    }
  })

  it.each(pipelineKinds)('%s refuses bad input with a code and goes on', async (kind) => {
    const { takes, limits } = taskKindTraits[kind]
    const good = toGiven(kind)
    const bad: [Given, string][] = []
    if (takes.text)
      bad.push(
        [{ ...good, text: ' ' }, 'CUCKOO_INFERENCE_INPUT_INVALID'],
        [{ ...good, text: 'a'.repeat(limits.maxCharacters + 1) }, 'CUCKOO_INFERENCE_INPUT_INVALID'],
      )
    if (takes.labels)
      bad.push([{ ...good, labels: [] }, 'CUCKOO_INFERENCE_INPUT_INVALID'], [{ ...good, labels: ['cats', ''] }, 'CUCKOO_INFERENCE_INPUT_INVALID'])
    if (takes.media !== null) {
      const { media, data } = good.file as File
      const wrong = takes.media === 'image' ? silence : red
      const cut = data.slice(0, -8)
      const renamed = { media: { ...media, sha256: `0x${'5'.repeat(64)}` as const }, data }
      const { file: _, ...without } = good
      bad.push([without, 'CUCKOO_INFERENCE_INPUT_INVALID'], [{ file: wrong }, 'CUCKOO_MEDIA_UNKNOWN'], [{ file: { media, data: cut } }, 'CUCKOO_MEDIA_UNKNOWN'])
      bad.push([{ file: renamed }, 'CUCKOO_INFERENCE_INPUT_INVALID'])
    }
    for (const [given, code] of bad) await expect(run(kind, given, params[kind]), JSON.stringify(given).slice(0, 200)).rejects.toThrow(refused(code))
    await expect(run(kind, good, params[kind])).resolves.toMatchObject({ totalMs: expect.any(Number) })
  })
})

describe('text', () => {
  it('is labelled, best first', async () => {
    // [CLS] the film is good [SEP]: the mean of six tokens, of which one has 9
    const expected = [
      { label: 'positive', score: expect.closeTo(softmax([0, 1.5], 1), 5) },
      { label: 'negative', score: expect.closeTo(softmax([0, 1.5], 0), 5) },
    ]
    expect(await runOutput('text-classification', { text: 'The film is GOOD' }, { topK: 5 })).toEqual({ labels: expected })
    expect(await runOutput('text-classification', { text: 'bad' }, { topK: 1 })).toEqual({
      labels: [{ label: 'negative', score: expect.closeTo(softmax([3, 0], 0), 5) }],
    })
  })

  it('is labelled with the labels of the request', async () => {
    const given = { text: 'cats purr', labels: ['ships', 'cats'] }
    expect(await runOutput('zero-shot-classification', given, { multiLabel: false })).toEqual({
      labels: [
        { label: 'cats', score: expect.closeTo(softmax([4, 2], 0), 5) },
        { label: 'ships', score: expect.closeTo(softmax([4, 2], 1), 5) },
      ],
    })
    expect(await runOutput('zero-shot-classification', given, { multiLabel: true })).toEqual({
      labels: [
        { label: 'cats', score: expect.closeTo(softmax([3, 4], 1), 5) },
        { label: 'ships', score: expect.closeTo(softmax([3, 2], 1), 5) },
      ],
    })
  })

  it('has its entities found where they stand', async () => {
    const text = '  Ada  Lovelace lives in Bérlin. Ada'
    const score = expect.closeTo(softmax([5, 0, 0, 0], 0), 5)
    expect(await runOutput('token-classification', { text }, {})).toEqual({
      entities: [
        { label: 'PER', score, text: 'Ada  Lovelace', start: 2, end: 15 },
        { label: 'LOC', score, text: 'Bérlin', start: 25, end: 31 },
        { label: 'PER', score, text: 'Ada', start: 33, end: 36 },
      ],
    })
  })

  it('is translated and summed up, greedily and up to the tokens asked for', async () => {
    const anyWay = { source: null, target: null }
    expect(await runOutput('translation', { text: 'Guten Tag Welt' }, { ...anyWay, maxTokens: 20 })).toEqual({ text: 'good day world' })
    expect(await runOutput('translation', { text: 'Guten Tag Welt' }, { ...anyWay, maxTokens: 2 })).toEqual({ text: 'good day' })
    expect(await runOutput('summarization', { text: 'Cats purr . dogs bark .' }, { maxTokens: 20 })).toEqual({ text: 'cats purr' })
  })

  it('is translated in the direction that the model knows by its own ways', async () => {
    writeModelFiles(join(directory, 'tiny/t5'), toTinyTranslator('t5'))
    writeModelFiles(join(directory, 'tiny/nllb'), toTinyTranslator('nllb'))
    const opening = open('tiny/t5')
    await expect(opening).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_MODEL_UNSUPPORTED', hint: expect.stringContaining('tiny/t5#translation') }))
    opened.set('tiny/t5#undefined', open('tiny/t5', 'translation'))
    const translate = (model: string, source: string | null, target: string | null) =>
      runOutput('translation', { text: 'guten tag', model }, { source, target, maxTokens: 20 })
    expect(await translate('tiny/t5', 'de', 'en')).toEqual({ text: 'good day' })
    expect(await translate('tiny/t5', null, null)).toEqual({ text: 'good day' })
    expect(await translate('tiny/nllb', 'deu_Latn', 'eng_Latn')).toEqual({ text: 'good day' })
    await expect(translate('tiny/t5', 'en', 'de')).rejects.toThrow(refused('CUCKOO_INFERENCE_FEATURE_MISSING', /en to de/))
    await expect(translate('tiny/nllb', 'deu_Latn', 'fra_Latn')).rejects.toThrow(refused('CUCKOO_INFERENCE_FEATURE_MISSING', /fra_Latn/))
    await expect(translate('tiny/nllb', null, 'eng_Latn')).rejects.toThrow(refused('CUCKOO_INFERENCE_FEATURE_MISSING', /source/))
    await expect(translate('tiny/translation', 'de', 'en')).rejects.toThrow(refused('CUCKOO_INFERENCE_FEATURE_MISSING'))
  })

  it('longer than the model reads, and more tokens than it writes, are refused, not cut', async () => {
    const long = 'cats '.repeat(40)
    const context = refused('CUCKOO_INFERENCE_CONTEXT_EXCEEDED')
    await expect(run('text-classification', { text: long }, { topK: 1 })).rejects.toThrow(context)
    await expect(run('zero-shot-classification', { text: 'cats '.repeat(27), labels: ['cats'] }, { multiLabel: true })).rejects.toThrow(context)
    await expect(run('token-classification', { text: long }, {})).rejects.toThrow(context)
    await expect(run('summarization', { text: long }, { maxTokens: 4 })).rejects.toThrow(context)
    await expect(run('summarization', { text: 'cats' }, { maxTokens: 33 })).rejects.toThrow(context)
    await expect(run('captioning', { file: red }, { maxTokens: 17 })).rejects.toThrow(context)
  })

  it('is spoken, in the voice and at the speed that the model has', async () => {
    const { output, files } = await run('speech', { text: 'ab' }, { voice: null, speed: 1 })
    expect(output).toMatchObject({ audio: { type: 'audio/wav', durationMs: 13 } })
    const samples = Buffer.from(files[0]?.data ?? []).subarray(44)
    expect(samples).toHaveLength(400)
    expect([samples.readInt16LE(0), samples.readInt16LE(398)]).toEqual([Math.round(0.5 * 32_767), Math.round(-0.25 * 32_767)])
    await expect(run('speech', { text: 'ab' }, { voice: 'alloy', speed: 1 })).rejects.toThrow(refused('CUCKOO_INFERENCE_FEATURE_MISSING', /alloy/))
    await expect(run('speech', { text: 'ab' }, { voice: null, speed: 2 })).rejects.toThrow(refused('CUCKOO_INFERENCE_FEATURE_MISSING', /speed 2/))
  })
})

describe('images', () => {
  it('are labelled and described', async () => {
    const green = createPicture(20, 30, () => [0, 255, 0])
    const labels = ['green', 'red', 'blue'].map((label) => ({ label, score: expect.closeTo(softmax([0, 6, 0], label === 'green' ? 1 : 0), 3) }))
    expect(await runOutput('image-classification', { file: green }, { topK: 3 })).toEqual({ labels: [labels[0], ...[labels[1], labels[2]]] })
    expect(await runOutput('image-classification', { file: green }, { topK: 1 })).toEqual({ labels: [labels[0]] })
    expect(await runOutput('captioning', { file: green }, { maxTokens: 10 })).toEqual({ text: 'a green picture' })
    expect(await runOutput('captioning', { file: red }, { maxTokens: 2 })).toEqual({ text: 'a red' })
  })

  it('have their objects found in their own pixels', async () => {
    const file = createPicture(32, 16, (x, y) => (x >= 8 && x < 16 && y >= 4 && y < 12 ? [255, 0, 0] : [0, 0, 0]))
    const box = { left: 8, top: 4, right: 16, bottom: 12 }
    expect(await runOutput('object-detection', { file }, { threshold: 0.9 })).toEqual({
      objects: [{ label: 'box', score: expect.closeTo(softmax([8, 0, 0], 0), 5), box }],
    })
    expect(await runOutput('object-detection', { file }, { threshold: 1 })).toEqual({ objects: [] })
  })

  it('have their depth in 16 bits, 65,535 nearest, and of a flat one none', async () => {
    const { output, files } = await run('depth-estimation', { file: createPicture(4, 2, (x, y) => [x * 10 + y * 40, x * 10 + y * 40, x * 10 + y * 40]) }, {})
    expect(output).toMatchObject({ image: { type: 'image/png', width: 4, height: 2 } })
    const { depth, channels, data } = decode(files[0]?.data ?? new Uint8Array())
    expect({ depth, channels }).toEqual({ depth: 16, channels: 1 })
    for (const [index, value] of data.entries()) expect(Math.abs(value - (index * 65_535) / 7)).toBeLessThan(2)
    const flat = await run('depth-estimation', { file: red }, {})
    expect(new Set(decode(flat.files[0]?.data ?? new Uint8Array()).data)).toEqual(new Set([0]))
  })

  it('come back larger, without the border that the processor added', async () => {
    const file = createPicture(5, 3, (x, y) => [x * 50, y * 100, 7])
    const { output, files } = await run('image-to-image', { file }, {})
    expect(output).toMatchObject({ image: { width: 10, height: 6 } })
    const { data, channels } = decode(files[0]?.data ?? new Uint8Array())
    const expected = Array.from({ length: 60 }, (_, pixel) => [Math.floor((pixel % 10) / 2) * 50, Math.floor(Math.floor(pixel / 10) / 2) * 100, 7]).flat()
    expect({ channels, data: [...data] }).toEqual({ channels: 3, data: expected })
  })
})

describe('speech as text', () => {
  const lowHigh = createTones(16_000, [
    [300, 0.5],
    [5_000, 0.5],
  ])
  const highLow = createTones(16_000, [
    [5_000, 0.5],
    [300, 0.5],
  ])
  const file = createWav(lowHigh)
  const english = { language: 'en', task: 'transcribe', timestamps: 'none' } as const
  const nothing = { segments: [], words: [] }

  it('is what was said, from every type of audio', async () => {
    expect(await runOutput('transcription', { file }, english)).toEqual({ text: 'low up', ...nothing })
    expect(await runOutput('transcription', { file: createWav(highLow) }, english)).toEqual({ text: 'high down', ...nothing })
    const stereo = createWav(
      createTones(44_100, [
        [300, 0.5],
        [5_000, 0.5],
      ]),
      { sampleRate: 44_100, channels: 2, bits: 24 },
    )
    expect(await runOutput('transcription', { file: stereo }, english)).toEqual({ text: 'low up', ...nothing })
    const flac = createFlac(Int16Array.from(highLow, (sample) => Math.round(sample * 32_767)))
    const mp3 = createMp3(38, 8)
    const { createMediaReader } = await import('../../src/inference/media/createMediaReader.ts')
    const toFile = async (data: Uint8Array) => ({ data, media: await createMediaReader().read(data, 'audio', { maxPixels: 0, maxSeconds: 60 }) })
    expect(await runOutput('transcription', { file: await toFile(flac) }, english)).toEqual({ text: 'high down', ...nothing })
    expect(await runOutput('transcription', { file: await toFile(mp3) }, english)).toEqual({ text: 'low down', ...nothing })
  })

  it('is heard only where it is as long as the task says, which is what is paid', async () => {
    const lie = { ...file, media: { ...file.media, durationMs: 1 } }
    await expect(run('transcription', { file: lie }, english)).rejects.toEqual(refused('CUCKOO_INFERENCE_INPUT_INVALID', /media are not those/))
  })

  it('is timed by segment or by word', async () => {
    expect(await runOutput('transcription', { file }, { ...english, timestamps: 'segment' })).toEqual({
      text: 'low up',
      segments: [{ startMs: 0, endMs: 1_000, text: 'low up' }],
      words: [],
    })
    const { text, words } = (await runOutput('transcription', { file }, { ...english, timestamps: 'word' })) as { text: string; words: object[] }
    expect(text).toBe('low up')
    // The attention of `low` lies on the first half, that of `up` on the second.
    expect(words).toEqual([
      { startMs: 0, endMs: 500, text: 'low' },
      { startMs: 500, endMs: expect.toSatisfy((endMs: number) => endMs >= 960 && endMs <= 1_000), text: 'up' },
    ])
  })

  it('is timed over the audio alone where that is shorter than the window', async () => {
    writeModelFiles(join(directory, 'tiny/stray'), toTinyWhisper({ strayAttention: true }))
    const short = createWav(lowHigh.subarray(0, 9_600))
    expect(await runOutput('transcription', { file: short, model: 'tiny/stray' }, { ...english, timestamps: 'word' })).toMatchObject({
      words: [
        { startMs: 0, endMs: 500, text: 'low' },
        { startMs: 500, text: 'up' },
      ],
    })
  })

  it('is in the language that is asked for, or found out, or translated', async () => {
    expect(await runOutput('transcription', { file }, { ...english, language: null })).toMatchObject({ text: 'tief up' })
    expect(await runOutput('transcription', { file: createWav(highLow) }, { ...english, language: null })).toMatchObject({ text: 'high down' })
    expect(await runOutput('transcription', { file }, { ...english, language: 'de-AT' })).toMatchObject({ text: 'tief up' })
    expect(await runOutput('transcription', { file }, { ...english, task: 'translate' })).toMatchObject({ text: 'deep up' })
    await expect(run('transcription', { file }, { ...english, language: 'fr' })).rejects.toThrow(refused('CUCKOO_INFERENCE_FEATURE_MISSING', /fr/))
  })

  it('longer than the window goes in by parts that overlap', async () => {
    const long = createWav(createTones(16_000, [[300, 2.6]]))
    const { text, segments } = (await runOutput('transcription', { file: long }, { ...english, timestamps: 'segment' })) as {
      text: string
      segments: { startMs: number; endMs: number }[]
    }
    expect(text).toMatch(/^low down/)
    expect(segments.at(-1)?.endMs).toBeGreaterThan(1_500)
    expect(segments.at(-1)?.endMs).toBeLessThanOrEqual(2_600)
  })

  it('from models that know less is refused where it is asked for more', async () => {
    writeModelFiles(join(directory, 'tiny/english'), toTinyWhisper({ multilingual: false, wordTimestamps: false }))
    writeModelFiles(join(directory, 'tiny/ctc'), toTinyCtc())
    const missing = refused('CUCKOO_INFERENCE_FEATURE_MISSING')
    const model = 'tiny/english'
    expect(await runOutput('transcription', { file, model }, { ...english, language: null })).toMatchObject({ text: 'low up' })
    await expect(run('transcription', { file, model }, { ...english, timestamps: 'word' })).rejects.toThrow(
      refused('CUCKOO_INFERENCE_FEATURE_MISSING', /word timestamps/),
    )
    await expect(run('transcription', { file, model }, { ...english, language: 'de' })).rejects.toThrow(missing)
    await expect(run('transcription', { file, model }, { ...english, task: 'translate' })).rejects.toThrow(missing)
    const plain = { ...english, language: null }
    // loud, quiet, loud: two letters; and 31 s of it in two pieces
    const loud = new Float32Array(4_800).fill(0.9).fill(0, 1_600, 3_200)
    expect(await runOutput('transcription', { file: createWav(loud), model: 'tiny/ctc' }, plain)).toEqual({ text: 'aa', ...nothing })
    const pieces = new Float32Array(31 * 16_000)
    pieces.fill(0.9, 0, 1_600).fill(0.9, 30.5 * 16_000, 30.6 * 16_000)
    expect(await runOutput('transcription', { file: createWav(pieces), model: 'tiny/ctc' }, plain)).toMatchObject({ text: expect.stringMatching(/^a a+$/) })
    await expect(run('transcription', { file, model: 'tiny/ctc' }, { ...plain, timestamps: 'segment' })).rejects.toThrow(missing)
    await expect(run('transcription', { file, model: 'tiny/ctc' }, english)).rejects.toThrow(missing)
  })
})

it('a run that is cancelled ends before the next pass through the model, and the model goes on', async () => {
  const folder = join(directory, 'tiny/zero-shot-classification')
  const kind = 'zero-shot-classification'
  const manifest = await createManifest({ model: `tiny/${kind}`, path: folder, refuseHardLinks: true }, { dtype: 'fp32', revision: null })
  const runner = await createPipelineRunner({ folder, manifest, device: 'cpu', kind })
  const content = { kind, input: { text: 'cats purr', labels: ['cats', 'ships', 'stars'] }, params: { multiLabel: true } } as const
  // asked once at the start and once before the pass of each label
  let questions = 0
  const counted = { ...content, input: { ...content.input, labels: [...content.input.labels] } }
  expect(await runner.run(counted, null, () => ++questions > 3)).toBeNull()
  expect(questions).toBe(4)
  expect(await runner.run(counted, null, () => false)).toMatchObject({ output: { labels: [{ label: 'cats' }, {}, {}] } })
  await runner.dispose()
})

it('a run whose caller leaves rejects with the reason', async () => {
  const reason = new Error('left')
  const signal = AbortSignal.abort(reason)
  await expect(run('summarization', { text: 'cats', signal }, { maxTokens: 4 })).rejects.toBe(reason)
})

it('a graph that does not fit its config is an error of the load or the run, with a code', async () => {
  writeModelFiles(join(directory, 'tiny/broken'), { ...toTinyCtc(), 'onnx/model.onnx': Buffer.from('no graph') })
  await expect(open('tiny/broken')).rejects.toThrow(expect.objectContaining({ code: expect.stringMatching(/^CUCKOO_MODEL_/) }))
})
