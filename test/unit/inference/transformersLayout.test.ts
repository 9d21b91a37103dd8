import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Dtype } from '../../../src/domain/manifest.ts'
import { type ModelKind, type PipelineKind, pipelineKinds, taskKindTraits } from '../../../src/domain/taskKinds.ts'
import { createManifest } from '../../../src/inference/createManifest.ts'
import { transformersLayout } from '../../../src/inference/transformersLayout.ts'
import { writeModelFiles } from '../../support/onnx.ts'
import { writeTinyModel } from '../../support/tinyModels.ts'
import { toTinyTranslator } from '../../support/tinyTextModels.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-layout-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const toFolder = (model: string) => ({ model, path: join(directory, model), refuseHardLinks: true })
const textFiles = ['tokenizer.json', 'tokenizer_config.json']
const oneGraph = ['onnx/model.onnx']
const twoGraphs = ['onnx/encoder_model.onnx', 'onnx/decoder_model_merged.onnx']

/** The plan of a model whose config.json is `config`, with the files of every kind beside it. */
async function plan(config: object, kind: ModelKind | null = null, options: { dtype?: Dtype; paths?: string[] } = {}) {
  writeModelFiles(join(directory, 'some/model'), { 'config.json': config })
  const paths = new Set(options.paths ?? ['config.json', 'generation_config.json', 'preprocessor_config.json', ...textFiles, ...oneGraph, ...twoGraphs])
  return transformersLayout.plan(toFolder('some/model'), paths, { dtype: options.dtype ?? 'fp32', kind })
}
const refused = (code: string, text: object = {}) => expect.objectContaining({ code, ...text })

describe('manifests of pipeline models', () => {
  it.each(pipelineKinds)('%s: the kind, the limits and the files it needs', async (kind) => {
    const model = await writeTinyModel(directory, kind)
    const manifest = await createManifest(toFolder(model), { dtype: 'fp32', revision: null })
    expect(manifest).toMatchObject({ model, kind, dtype: 'fp32', proof: 'none', chatTemplate: false, pooling: null, limits: { maxBatch: 1 } })
    const { takes } = taskKindTraits[kind]
    const generates = ['transcription', 'translation', 'summarization', 'captioning'].includes(kind)
    if (!takes.text) expect(manifest.limits.contextTokens).toBe(1)
    else expect(manifest.limits.contextTokens).toBe(kind === 'speech' ? 8_193 : 32)
    expect(manifest.limits.maxOutputTokens > 0).toBe(generates)
    const paths = manifest.files.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['config.json', ...(takes.text ? textFiles : []), ...(takes.media ? ['preprocessor_config.json'] : [])]))
    expect(paths.filter((path) => path.endsWith('.onnx')).sort()).toEqual((generates ? [...twoGraphs].sort() : oneGraph).sort())
  })
})

describe('the kind', () => {
  it.each<[string, object, PipelineKind | null]>([
    ['WhisperForConditionalGeneration', {}, 'transcription'],
    ['MoonshineForConditionalGeneration', {}, 'transcription'],
    ['Wav2Vec2ForCTC', {}, 'transcription'],
    ['VitsModel', {}, 'speech'],
    ['MarianMTModel', {}, 'translation'],
    ['M2M100ForConditionalGeneration', {}, 'translation'],
    ['BartForConditionalGeneration', { task_specific_params: { summarization: {} } }, 'summarization'],
    ['MBartForConditionalGeneration', { task_specific_params: { translation_en_to_ro: {} } }, 'translation'],
    ['RobertaForSequenceClassification', { label2id: { negative: 0, positive: 1 } }, 'text-classification'],
    ['BartForSequenceClassification', { label2id: { contradiction: 0, ENTAILMENT: 1 } }, 'zero-shot-classification'],
    ['BertForTokenClassification', {}, 'token-classification'],
    ['ViTForImageClassification', {}, 'image-classification'],
    ['YolosForObjectDetection', {}, 'object-detection'],
    ['VisionEncoderDecoderModel', {}, 'captioning'],
    ['DepthAnythingForDepthEstimation', {}, 'depth-estimation'],
    ['Swin2SRForImageSuperResolution', {}, 'image-to-image'],
    ['LlamaForCausalLM', {}, null],
    ['BertModel', {}, null],
  ])('of %s follows from its config', async (architecture, config, kind) => {
    expect((await plan({ architectures: [architecture], ...config })).kind).toBe(kind)
  })

  it('that could be several is asked for, with the words to ask', async () => {
    for (const task_specific_params of [undefined, { summarization: {}, translation_en_to_de: {} }])
      await expect(plan({ architectures: ['T5ForConditionalGeneration'], task_specific_params })).rejects.toThrow(
        refused('CUCKOO_MODEL_UNSUPPORTED', { hint: 'Say which: some/model#translation or some/model#summarization.' }),
      )
    expect((await plan({ architectures: ['T5ForConditionalGeneration'] }, 'summarization')).kind).toBe('summarization')
  })

  it('that is asked for decides, where the architecture can', async () => {
    const entailing = { architectures: ['BartForSequenceClassification'], label2id: { contradiction: 0, entailment: 1 } }
    expect((await plan(entailing, 'text-classification')).kind).toBe('text-classification')
    const plain = { architectures: ['BertForSequenceClassification'], label2id: { a: 0, b: 1 } }
    await expect(plan(plain, 'zero-shot-classification')).rejects.toThrow(
      refused('CUCKOO_MODEL_UNSUPPORTED', { message: expect.stringContaining('entailment') }),
    )
    await expect(plan(plain, 'translation')).rejects.toThrow(refused('CUCKOO_MODEL_UNSUPPORTED', { message: expect.stringContaining('text-classification') }))
    expect((await plan({ architectures: ['LlamaForCausalLM'] }, 'text')).kind).toBeNull()
  })
})

it('upscalers whose results no coordinator takes are refused before their weights are fetched', async () => {
  const config = { architectures: ['Swin2SRForImageSuperResolution'] }
  for (const upscale of [undefined, 2, 4]) expect((await plan({ ...config, upscale })).kind).toBe('image-to-image')
  for (const upscale of [8, 2.5, 0])
    await expect(plan({ ...config, upscale })).rejects.toThrow(
      refused('CUCKOO_MODEL_UNSUPPORTED', { message: expect.stringContaining(`makes images ${upscale} times as large`) }),
    )
})

describe('files', () => {
  it('are those of the dtype, and its graphs must all be there', async () => {
    const quantized = ['onnx/encoder_model_quantized.onnx', 'onnx/decoder_model_merged_quantized.onnx']
    const paths = ['config.json', ...textFiles, ...twoGraphs, ...quantized, 'onnx/encoder_model_fp16.onnx', 'onnx/model_q4.onnx', 'README.md']
    const config = { architectures: ['MarianMTModel'] }
    expect(transformersLayout.listDtypes(new Set(paths))).toEqual(['fp32', 'q8', 'q4'])
    expect(await plan(config, null, { dtype: 'q8', paths })).toMatchObject({
      graphs: quantized,
      files: expect.not.arrayContaining(['README.md', ...twoGraphs]),
    })
    for (const dtype of ['fp16', 'q4'] as const)
      await expect(plan(config, null, { dtype, paths })).rejects.toThrow(refused('CUCKOO_MODEL_DTYPE_MISSING', { hint: expect.stringContaining('fp32, q8') }))
    await expect(plan(config, null, { paths: ['config.json', 'tokenizer.json', ...twoGraphs] })).rejects.toThrow(
      refused('CUCKOO_MODEL_FILE_MISSING', { message: expect.stringContaining('tokenizer_config.json') }),
    )
  })
})

it('a model that names no length reads what its family was trained on', async () => {
  const { 'tokenizer_config.json': tokenizer, 'config.json': config, ...files } = toTinyTranslator('t5')
  const unlimited = {
    'tokenizer_config.json': { ...(tokenizer as object), model_max_length: 1e30 },
    'config.json': { ...(config as object), max_position_embeddings: undefined },
  }
  writeModelFiles(join(directory, 'tiny/t5'), { ...files, ...unlimited })
  const { limits } = await createManifest(toFolder('tiny/t5'), { dtype: 'fp32', kind: 'translation', revision: null })
  expect(limits).toEqual({ contextTokens: 512, maxOutputTokens: 512, maxBatch: 1 })
})
