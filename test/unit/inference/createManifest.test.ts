import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { zManifest } from '../../../src/api/wire.ts'
import { toManifestDigest } from '../../../src/domain/manifest.ts'
import { createManifest } from '../../../src/inference/createManifest.ts'
import { findLayout } from '../../../src/inference/findLayout.ts'
import { listModelPaths, listModels, type ModelFolder } from '../../../src/inference/modelFolder.ts'
import { createTableGraph, table, tableColumns, toEmbeddingModelFiles, writeModelFiles } from '../../support/onnx.ts'

let directory: string
let folder: ModelFolder
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-manifest-'))
  folder = { model: 'a/b', path: join(directory, 'a', 'b'), refuseHardLinks: true }
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const write = (files: Record<string, Buffer | string | object> = {}) => writeModelFiles(folder.path, { ...toEmbeddingModelFiles(), ...files })
const writeText = (files: Record<string, Buffer | string | object> = {}) =>
  write({
    'config.json': { architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 6, max_position_embeddings: 64, eos_token_id: 5 },
    'onnx/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'logits' }),
    ...files,
  })
const create = (dtype: 'fp32' | 'q8' = 'fp32') => createManifest(folder, { dtype, revision: null })
const code = (value: string) => expect.objectContaining({ code: value })

describe('createManifest', () => {
  it('describes an embedding model with each file that decides its answers', async () => {
    write({ 'README.md': 'not part of it', 'onnx/model_fp16.onnx': 'another dtype' })
    const manifest = await create()
    expect(manifest).toMatchObject({
      version: 1,
      model: 'a/b',
      revision: null,
      kind: 'embedding',
      dtype: 'fp32',
      pooling: 'mean',
      eosTokenIds: [],
      chatTemplate: false,
      proof: 'none',
    })
    expect(manifest.limits).toEqual({ contextTokens: 12, maxOutputTokens: 0, maxBatch: 256 })
    expect(manifest.files.map(({ path }) => path)).toEqual(['config.json', 'onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json'])
    expect(zManifest.parse(manifest)).toEqual(manifest)
    const paths = await listModelPaths(folder)
    expect(findLayout(paths).listDtypes(paths)).toEqual(['fp32', 'fp16'])
    expect(await listModels(directory)).toEqual(['a/b'])
  })

  it('describes a text model: context, end tokens as number or list, chat template in either place', async () => {
    writeText()
    expect(await create()).toMatchObject({
      kind: 'text',
      eosTokenIds: [5],
      chatTemplate: false,
      pooling: null,
      limits: { contextTokens: 12, maxOutputTokens: 12, maxBatch: 1 },
    })
    writeText({
      'generation_config.json': { eos_token_id: [1, 2] },
      'tokenizer_config.json': { model_max_length: 1e30 },
      'chat_template.jinja': '{{ messages }}',
    })
    expect(await create()).toMatchObject({ eosTokenIds: [1, 2], chatTemplate: true, limits: { contextTokens: 64 } })
    writeText({ 'tokenizer_config.json': { chat_template: '{{ messages }}' } })
    expect((await create()).chatTemplate).toBe(true)
  })

  it('takes the pooling of sentence-transformers models', async () => {
    write({ '1_Pooling/config.json': { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false } })
    const manifest = await create()
    expect(manifest.pooling).toBe('cls')
    expect(manifest.files.map(({ path }) => path)).toContain('1_Pooling/config.json')
  })

  it('has a digest that changes with any byte of any file', async () => {
    write()
    const before = toManifestDigest(await create())
    expect(toManifestDigest(await create())).toBe(before)
    write({ 'tokenizer_config.json': { unk_token: '[UNK]', model_max_length: 12, tokenizer_class: 'BertTokenizer', x: 1 } })
    expect(toManifestDigest(await create())).not.toBe(before)
  })

  it('covers external data', async () => {
    write({
      'onnx/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData: 'weights.bin' }),
      'onnx/weights.bin': Buffer.from(table.buffer),
    })
    expect((await create()).files.map(({ path }) => path)).toContain('onnx/weights.bin')
  })

  it('names the dtypes there are for one that is not', async () => {
    write()
    await expect(create('q8')).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_MODEL_DTYPE_MISSING', hint: 'It has fp32: choose one of them.' }))
  })

  it.each(['config.json', 'tokenizer.json'])('refuses a folder without %s', async (file) => {
    write()
    unlinkSync(join(folder.path, file))
    await expect(create()).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_MODEL_FILE_MISSING', facts: { model: 'a/b', file } }))
  })

  it.each(['config.json', 'tokenizer_config.json'])('refuses a %s that is no JSON object', async (file) => {
    for (const content of ['{', '[]', 'null', '']) {
      write({ [file]: content })
      await expect(create()).rejects.toThrow(code('CUCKOO_MODEL_FILE_INVALID'))
    }
  })

  it('refuses a truncated graph', async () => {
    write()
    truncateSync(join(folder.path, 'onnx/model.onnx'), 100)
    await expect(create()).rejects.toThrow(code('CUCKOO_MODEL_FILE_INVALID'))
  })

  it('refuses models that do something else, and those without a known context', async () => {
    write({ 'onnx/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'logits' }) })
    await expect(create()).rejects.toThrow(code('CUCKOO_MODEL_UNSUPPORTED'))
    write({ 'config.json': { model_type: 'bert' }, 'tokenizer_config.json': {} })
    await expect(create()).rejects.toThrow(code('CUCKOO_MODEL_FILE_INVALID'))
  })
})

describe('fault 14: files that lead out of the folder', () => {
  const secret = () => {
    const path = join(directory, 'secret')
    writeFileSync(path, Buffer.from(table.buffer))
    return path
  }

  it('refuses a symbolic link to a file outside, takes one inside', async () => {
    write()
    unlinkSync(join(folder.path, 'tokenizer.json'))
    symlinkSync(secret(), join(folder.path, 'tokenizer.json'))
    await expect(create()).rejects.toThrow(code('CUCKOO_MODEL_FILE_ESCAPES'))
    unlinkSync(join(folder.path, 'tokenizer.json'))
    writeFileSync(join(folder.path, 'real.json'), JSON.stringify(toEmbeddingModelFiles()['tokenizer.json']))
    symlinkSync('real.json', join(folder.path, 'tokenizer.json'))
    await expect(create()).resolves.toBeTruthy()
  })

  it('refuses a symbolic link among the folders', async () => {
    write()
    rmSync(join(folder.path, 'onnx'), { recursive: true })
    mkdirSync(join(directory, 'elsewhere'))
    writeFileSync(join(directory, 'elsewhere', 'model.onnx'), createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state' }))
    symlinkSync(join(directory, 'elsewhere'), join(folder.path, 'onnx'))
    await expect(create()).rejects.toThrow(code('CUCKOO_MODEL_FILE_ESCAPES'))
  })

  it('refuses a hard link, except in our own package', async () => {
    write()
    const path = join(folder.path, 'onnx', 'weights.bin')
    write({ 'onnx/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData: 'weights.bin' }) })
    linkSync(secret(), path)
    await expect(create()).rejects.toThrow(code('CUCKOO_MODEL_FILE_ESCAPES'))
    folder = { ...folder, refuseHardLinks: false }
    await expect(create()).resolves.toBeTruthy()
  })

  it.each(['../../../secret', '/etc/hostname', '../../b/../secret', 'a\\..\\b', 'C:/x', '%2e%2e/secret'])(
    'refuses external data at %s',
    async (externalData) => {
      secret()
      write({ 'onnx/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData }) })
      await expect(create()).rejects.toThrow(code('CUCKOO_MODEL_FILE_ESCAPES'))
    },
  )
})
