import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from 'fast-png'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceName, Engine, OpenModel, PipelineRun } from '../../src/domain/enginePort.ts'
import type { Dtype } from '../../src/domain/manifest.ts'
import { sampleToken } from '../../src/domain/sampling.ts'
import type { PipelineContent, TextParams } from '../../src/domain/task.ts'
import type { PipelineKind } from '../../src/domain/taskKinds.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { chooseDevice, toDevicesFor } from '../../src/inference/devices.ts'
import { decodeHalf, encodeHalf } from '../../src/inference/halfFloat.ts'
import { type RuntimeSession, type RuntimeTensor, toFloatSession } from '../../src/inference/toFloatSession.ts'
import { toMaskedModelFiles } from '../support/embeddingGraphs.ts'
import { toHalfGraph, toHalfModelFiles } from '../support/halfGraph.ts'
import { createPicture, createTones, createWav } from '../support/mediaFiles.ts'
import { storyteller } from '../support/models.ts'
import { createTableGraph, table, tableColumns, toEmbeddingModelFiles, writeModelFiles } from '../support/onnx.ts'
import { type TinyDecoderOptions, toTinyDecoder, vocabularySize } from '../support/tinyDecoder.ts'
import { toTinyCtc } from '../support/tinyMediaModels.ts'
import { toTinyModel } from '../support/tinyModels.ts'

/** Debian's chromium ships SwiftShader, a WebGPU adapter without a GPU; it needs libvulkan1. */
const softwareAdapter = '/usr/lib/chromium/vk_swiftshader_icd.json'

let engine: Engine
let directory: string
const obstacles = new Map<unknown, unknown>()
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-half-'))
  // Set before anything loads the Vulkan loader: native code reads the process's own environment.
  if (process.env.VK_DRIVER_FILES === undefined && existsSync(softwareAdapter)) process.env.VK_DRIVER_FILES = softwareAdapter
  process.env.XDG_RUNTIME_DIR ??= directory
  const debug = (fields: Record<string, unknown>) => 'batchObstacle' in fields && obstacles.set(fields.model, fields.batchObstacle)
  engine = createEngine({ modelsDirectory: join(directory, 'hub'), offline: true, logger: { debug, info: () => {}, warn: () => {} } })
})
afterAll(async () => {
  await engine.dispose()
  rmSync(directory, { recursive: true, force: true })
})

const open = (model: string, dtype: Dtype = 'fp16', device: DeviceName = 'cpu') =>
  engine.openModel({ model, source: { from: 'folder', directory }, dtype, device })
const softmax = (logits: number[], index: number) => Math.exp(logits[index] as number) / logits.reduce((sum, logit) => sum + Math.exp(logit), 0)

describe('text', () => {
  const greedy: TextParams = { maxTokens: 8, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }
  const sampled: TextParams = { ...greedy, temperature: 1.5, topP: 0.95 }

  /** Logits after a and b, as the model's graph gives them. */
  const toLogits = (a: number, b: number, type: 'float' | 'float16') => {
    const logits = Float32Array.from({ length: vocabularySize }, (_, token) => -((token - a - b) ** 2) / 64)
    return type === 'float' ? logits : decodeHalf(encodeHalf(logits))
  }

  it.each<[Dtype & ('fp16' | 'q4f16'), Required<TinyDecoderOptions>]>([
    ['fp16', { cache: 'float16', logits: 'float' }],
    ['q4f16', { cache: 'float16', logits: 'float' }],
    ['fp16', { cache: 'float16', logits: 'float16' }],
    ['fp16', { cache: 'float', logits: 'float16' }],
  ])('in %s goes on from a half-precision cache, and is sampled from half-precision logits: %o', async (dtype, options) => {
    const name = `text/${dtype}-${options.cache}-${options.logits}`
    writeModelFiles(join(directory, name), toTinyDecoder(dtype, options))
    const model = await open(name, dtype)
    expect((await model.generateText({ tokenIds: [1, 1] }, greedy, 0n)).output.tokenIds).toEqual([2, 3, 5, 8, 13, 21, 34, 55])
    for (const seed of [5n, 6n, 7n]) {
      const { output } = await model.generateText({ tokenIds: [9, 4] }, sampled, seed)
      const all = [9, 4, ...output.tokenIds]
      for (const [position, token] of output.tokenIds.entries())
        expect(token).toBe(sampleToken(toLogits(all[position] as number, all[position + 1] as number, options.logits), sampled, seed, position))
    }
    await model.dispose()
  })

  it('of a real model is the same as in single precision', async () => {
    const folder = join(directory, 'text/storyteller')
    cpSync(join(storyteller.directory, storyteller.model), folder, { recursive: true })
    writeModelFiles(folder, { 'onnx/model_fp16.onnx': toHalfGraph(readFileSync(join(folder, 'onnx/model.onnx'))) })
    const texts: number[][] = []
    for (const dtype of ['fp32', 'fp16'] as const) {
      const model = await open('text/storyteller', dtype)
      const tokenIds = await model.tokenizer.encodeText('Once upon a time')
      texts.push((await model.generateText({ tokenIds }, { ...greedy, maxTokens: 60 }, 0n)).output.tokenIds)
      await model.dispose()
    }
    expect(texts[1]).toEqual(texts[0])
  })
})

describe('embeddings', () => {
  const toVectors = ({ output }: Awaited<ReturnType<OpenModel['embed']>>) =>
    output.embeddings.map((base64) => {
      const bytes = Buffer.from(base64, 'base64')
      return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
    })
  const row = (token: number) => [...table.slice(token * tableColumns, (token + 1) * tableColumns)]

  it.each([
    ['mean', {}, (rows: number[][]) => rows[0]?.map((_, at) => Math.fround(rows.reduce((sum, values) => sum + (values[at] as number), 0) / rows.length))],
    ['cls', { pooling_mode_cls_token: true }, (rows: number[][]) => rows[0]],
    ['last', { pooling_mode_lasttoken: true }, (rows: number[][]) => rows.at(-1)],
  ] as const)('with pooling %s are those of the halves, not rounded again', async (name, pooling, pool) => {
    writeModelFiles(join(directory, 'embed', name), { ...toHalfModelFiles(toEmbeddingModelFiles()), '1_Pooling/config.json': pooling })
    const model = await open(`embed/${name}`)
    // A third of 29 / 8 is no half.
    expect(toVectors(await model.embed({ tokenIds: [[3, 4, 2], [5]] }, { normalize: false }))).toEqual([pool([row(3), row(4), row(2)]), row(5)])
    await model.dispose()
  })

  it('come from external data by the names in the graph, whatever config.json says of other files', async () => {
    const { 'config.json': config, ...files } = toEmbeddingModelFiles()
    const graph = createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData: 'model_fp16.onnx_data' })
    writeModelFiles(join(directory, 'embed/external'), {
      ...files,
      'config.json': { ...(config as object), 'transformers.js_config': { use_external_data_format: 2 } },
      'onnx/model_fp16.onnx': toHalfGraph(graph),
      'onnx/model_fp16.onnx_data': Buffer.from(encodeHalf(table).buffer),
    })
    const model = await open('embed/external')
    expect(toVectors(await model.embed({ tokenIds: [[4]] }, { normalize: false }))).toEqual([row(4)])
    await model.dispose()
  })

  it('share a run where their neighbours do not change them, and only there', async () => {
    writeModelFiles(join(directory, 'embed/masked'), toHalfModelFiles(toMaskedModelFiles('masked'), { dtype: 'q4f16' }))
    writeModelFiles(join(directory, 'embed/maskless'), toHalfModelFiles(toMaskedModelFiles('maskless'), { dtype: 'q4f16' }))
    const texts = [[[1, 2]], [[3, 4, 2, 5, 1, 1]], [[4], [2, 3, 3]]]
    for (const [name, obstacle] of [
      ['embed/masked', null],
      ['embed/maskless', 'its vectors depend on their neighbours'],
    ] as const) {
      const model = await open(name, 'q4f16')
      expect(obstacles.get(name)).toBe(obstacle)
      const alone: number[][][] = []
      for (const tokenIds of texts) alone.push(toVectors(await model.embed({ tokenIds }, { normalize: true })))
      const runs = await Promise.all(texts.map((tokenIds) => model.embed({ tokenIds }, { normalize: true })))
      expect(new Set(runs.map(({ totalMs }) => totalMs)).size).toBe(obstacle === null ? 1 : texts.length)
      expect(runs.map(toVectors)).toEqual(alone)
      await model.dispose()
    }
  })
})

describe('every other kind answers in half precision what can be worked out by hand', () => {
  const red = createPicture(12, 8, () => [255, 0, 0])
  const box = createPicture(32, 16, (x, y) => (x >= 8 && x < 16 && y >= 4 && y < 12 ? [255, 0, 0] : [0, 0, 0]))
  const ramp = createPicture(4, 2, (x, y) => [x * 10 + y * 40, x * 10 + y * 40, x * 10 + y * 40])
  const pixels = createPicture(5, 3, (x, y) => [x * 50, y * 100, 7])
  const lowHigh = createWav(
    createTones(16_000, [
      [300, 0.5],
      [5_000, 0.5],
    ]),
  )
  const loud = createWav(new Float32Array(4_800).fill(0.9).fill(0, 1_600, 3_200))
  const toScores = (logits: Record<string, number>) =>
    Object.keys(logits).map((label, index) => ({ label, score: expect.closeTo(softmax(Object.values(logits), index), 5) }))
  const readImage = ({ files }: PipelineRun) => decode(files[0]?.data ?? new Uint8Array()).data
  /** what is compared: the output, or numbers of the file that it names */
  type Case<K extends PipelineKind> = [
    kind: K,
    input: { text?: string; labels?: string[]; file?: { media: NonNullable<PipelineContent['input']['media']>; data: Uint8Array } },
    params: Extract<PipelineContent, { kind: K }>['params'],
    expected: (run: PipelineRun) => void,
  ]
  const toAnswer = (expected: object) => (run: PipelineRun) => expect(run.output).toEqual(expected)
  const cases: { [K in PipelineKind]: Case<K> } = {
    transcription: [
      'transcription',
      { file: lowHigh },
      { language: null, task: 'transcribe', timestamps: 'word' },
      toAnswer({
        text: 'tief up',
        segments: [],
        words: [
          { startMs: 0, endMs: 500, text: 'tief' },
          { startMs: 500, endMs: expect.toSatisfy((endMs: number) => endMs >= 960 && endMs <= 1_000), text: 'up' },
        ],
      }),
    ],
    speech: [
      'speech',
      { text: 'ab' },
      { voice: null, speed: 1 },
      ({ files }) => {
        const samples = Buffer.from(files[0]?.data ?? []).subarray(44)
        expect([samples.length, samples.readInt16LE(0), samples.readInt16LE(398)]).toEqual([400, Math.round(0.5 * 32_767), Math.round(-0.25 * 32_767)])
      },
    ],
    translation: ['translation', { text: 'Guten Tag Welt' }, { source: null, target: null, maxTokens: 20 }, toAnswer({ text: 'good day world' })],
    summarization: ['summarization', { text: 'Cats purr . dogs bark .' }, { maxTokens: 20 }, toAnswer({ text: 'cats purr' })],
    'text-classification': ['text-classification', { text: 'the film is good' }, { topK: 2 }, toAnswer({ labels: toScores({ positive: 1.5, negative: 0 }) })],
    'zero-shot-classification': [
      'zero-shot-classification',
      { text: 'cats purr', labels: ['ships', 'cats'] },
      { multiLabel: false },
      toAnswer({ labels: toScores({ cats: 4, ships: 2 }) }),
    ],
    'token-classification': [
      'token-classification',
      { text: 'Ada lives' },
      {},
      toAnswer({ entities: [{ label: 'PER', score: expect.closeTo(softmax([5, 0, 0, 0], 0), 5), text: 'Ada', start: 0, end: 3 }] }),
    ],
    'image-classification': [
      'image-classification',
      { file: red },
      { topK: 3 },
      toAnswer({ labels: expect.arrayContaining(toScores({ red: 6, green: 0, blue: 0 })) }),
    ],
    'object-detection': [
      'object-detection',
      { file: box },
      { threshold: 0.9 },
      toAnswer({ objects: [{ label: 'box', score: expect.closeTo(softmax([8, 0, 0], 0), 5), box: { left: 8, top: 4, right: 16, bottom: 12 } }] }),
    ],
    captioning: ['captioning', { file: red }, { maxTokens: 10 }, toAnswer({ text: 'a red picture' })],
    'depth-estimation': [
      'depth-estimation',
      { file: ramp },
      {},
      (run) => {
        // The nearest, 70 / 255, is rounded by up to 2^-13, of 65,535 steps 29, on the way in and on the way out.
        for (const [index, value] of readImage(run).entries()) expect(Math.abs(value - (index * 65_535) / 7)).toBeLessThan(60)
      },
    ],
    'image-to-image': [
      'image-to-image',
      { file: pixels },
      {},
      (run) => {
        const expected = Array.from({ length: 60 }, (_, pixel) => [Math.floor((pixel % 10) / 2) * 50, Math.floor(Math.floor(pixel / 10) / 2) * 100, 7])
        expect([...readImage(run)]).toEqual(expected.flat())
      },
    ],
  }
  const run = async <K extends PipelineKind>(name: string, [kind, { file, ...input }, params, expected]: Case<K>) => {
    const model = await open(name)
    const content = { kind, input: { ...input, ...(file && { media: file.media }) }, params } as PipelineContent
    expected(await model.runPipeline(content, file?.data ?? null))
    await model.dispose()
  }

  it.each(Object.values(cases))('%s', async (...found) => {
    const name = `kinds/${found[0]}`
    // Resize takes its scales as floats in every precision.
    writeModelFiles(join(directory, name), toHalfModelFiles(toTinyModel(found[0]), { keep: ['scales'] }))
    await run(name, found as Case<PipelineKind>)
  })

  it('transcription without a decoder', async () => {
    writeModelFiles(join(directory, 'kinds/ctc'), toHalfModelFiles(toTinyCtc()))
    const params = { language: null, task: 'transcribe', timestamps: 'none' } as const
    await run('kinds/ctc', ['transcription', { file: loud }, params, toAnswer({ text: 'aa', segments: [], words: [] })])
  })
})

describe('WebGPU', () => {
  it('answers as the CPU does, or says before anything is loaded that it has no half precision', async (context) => {
    const webGpu = (await engine.listDevices()).find(({ device }) => device === 'webgpu')
    if (!webGpu?.available) return context.skip(`skipped: no WebGPU adapter (${webGpu?.detail}); with chromium and libvulkan1 installed SwiftShader serves`)
    writeModelFiles(join(directory, 'webgpu/decoder'), { ...toTinyDecoder('fp32'), ...toTinyDecoder('fp16', { cache: 'float16', logits: 'float16' }) })
    const lacksHalf = webGpu.detail.includes('not in half precision')
    for (const dtype of ['fp32', 'fp16'] as const) {
      if (dtype === 'fp16' && lacksHalf) {
        await expect(open('webgpu/absent', dtype, 'webgpu')).rejects.toMatchObject({
          code: 'CUCKOO_DEVICE_UNAVAILABLE',
          message: 'The device webgpu is not available: it computes in single precision only, and the weights are fp16.',
          hint: 'Use --dtype fp32 or q4, or --device cpu.',
        })
        continue
      }
      const model = await open('webgpu/decoder', dtype, 'webgpu')
      const params: TextParams = { maxTokens: 8, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }
      expect((await model.generateText({ tokenIds: [1, 1] }, params, 0n)).output.tokenIds).toEqual([2, 3, 5, 8, 13, 21, 34, 55])
      await model.dispose()
    }
  }, 90_000)

  it('is passed over by auto for weights that it cannot compute with', () => {
    const cpu = { device: 'cpu', available: true, detail: '8 cores', speedup: 1 } as const
    const gpu = { device: 'webgpu', available: true, detail: 'fast', speedup: 9, lacksHalf: true } as const
    for (const dtype of ['fp16', 'q4f16'] as const) expect(chooseDevice('auto', toDevicesFor(dtype, [cpu, gpu])).device).toBe('cpu')
    for (const dtype of ['fp32', 'q8', 'q4'] as const) expect(chooseDevice('auto', toDevicesFor(dtype, [cpu, gpu])).device).toBe('webgpu')
    expect(chooseDevice('auto', toDevicesFor('fp16', [cpu, { ...gpu, lacksHalf: false }])).device).toBe('webgpu')
  })
})

describe('a session', () => {
  class FakeTensor implements RuntimeTensor {
    readonly type: string
    readonly data: ArrayLike<number>
    readonly dims: readonly number[]
    readonly location: string = 'cpu'
    cpuData: ArrayLike<number>

    constructor(type: string, data: ArrayLike<number>, dims: readonly number[]) {
      this.type = type
      this.data = data
      this.dims = dims
      this.cpuData = data
    }
  }
  /** Gives `states` for whatever goes in, and tells what did. */
  const createSession = (type: string, states: RuntimeTensor) => {
    const seen: RuntimeTensor[] = []
    const session: RuntimeSession = {
      inputMetadata: [{ name: 'x', type }],
      outputMetadata: [{ name: 'states', type }],
      run: async ({ x }) => {
        seen.push(x as RuntimeTensor)
        return { states }
      },
    }
    return { session, seen }
  }

  it('without halves is left alone', () => {
    const { session } = createSession('float32', new FakeTensor('float32', new Float32Array(1), [1]))
    expect(toFloatSession(session)).toBe(session)
  })

  it('gives an output to the next graph without converting it back', async () => {
    // a view into a larger buffer: 1 and -2
    const bits = Uint16Array.of(0, 0x3c00, 0xc000).subarray(1)
    const encoder = createSession('float16', new FakeTensor('float16', bits, [2]))
    const decoder = createSession('float16', new FakeTensor('float16', bits, [2]))
    const { states } = await toFloatSession(encoder.session).run({ x: new FakeTensor('float32', Float32Array.of(1 / 3), [1]) })
    expect(encoder.seen[0]).toMatchObject({ type: 'float16', dims: [1], cpuData: Uint16Array.of(0x3555) })
    expect(states).toMatchObject({ type: 'float32', dims: [2], data: Float32Array.of(1, -2) })
    await toFloatSession(decoder.session).run({ x: states as RuntimeTensor })
    const { buffer, byteOffset } = (decoder.seen[0] as FakeTensor).cpuData as Uint16Array
    expect(byteOffset).toBe(2)
    expect(buffer).toBe(bits.buffer)
  })

  it('gives what only goes back in as it is', async () => {
    const cache = new FakeTensor('float16', Uint16Array.of(0x3c00), [1])
    const { session, seen } = createSession('float16', cache)
    const floats = toFloatSession(session, (output) => output === 'states')
    const { states } = await floats.run({ x: cache })
    expect(states).toBe(cache)
    await floats.run({ x: states as RuntimeTensor })
    expect(seen[1]).toMatchObject({ type: 'float16', cpuData: Uint16Array.of(0x3c00) })
  })

  it('leaves to the device what lies on it', async () => {
    const onDevice = Object.assign(new FakeTensor('float16', new Uint16Array(0), [0]), { location: 'gpu-buffer' })
    const { session, seen } = createSession('float16', onDevice)
    const { states } = await toFloatSession(session).run({ x: onDevice })
    expect(seen[0]).toBe(onDevice)
    expect(states).toBe(onDevice)
  })
})
