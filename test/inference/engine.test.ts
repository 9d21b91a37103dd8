import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AutoModel, AutoTokenizer, env, FeatureExtractionPipeline, LogLevel, type Tensor } from '@huggingface/transformers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/domain/enginePort.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { testDevice, vectorTolerance } from '../support/devices.ts'
import { findTestModel, whyNoTestModel } from '../support/models.ts'
import { createTableGraph, table, tableColumns, toEmbeddingModelFiles, writeModelFiles } from '../support/onnx.ts'

let engine: Engine
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-engine-'))
  engine = createEngine({ modelsDirectory: join(directory, 'hub'), offline: true })
  env.allowRemoteModels = false
  env.logLevel = LogLevel.NONE
})
afterAll(async () => {
  await engine.dispose()
  rmSync(directory, { recursive: true, force: true })
})

const open = (model: string, dtype: 'fp32' | 'q8' = 'fp32', source: Parameters<Engine['openModel']>[0]['source'] = { from: 'folder', directory }) =>
  engine.openModel({ model, source, dtype, device: testDevice })
const toVector = (base64: string) => {
  const bytes = Buffer.from(base64, 'base64')
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}

describe('embeddings', () => {
  it('are the mean of the hidden states, one vector per text, as little-endian float32', async () => {
    writeModelFiles(join(directory, 'test/table'), toEmbeddingModelFiles())
    const model = await open('test/table')
    const tokenIds = [await model.tokenizer.encodeText('two three'), await model.tokenizer.encodeText('four')]
    expect(tokenIds).toEqual([[1, 2], [3]])
    const { output, totalMs } = await model.embed({ tokenIds }, { normalize: false })
    expect(output.dimensions).toBe(tableColumns)
    const row = (token: number) => table.slice(token * tableColumns, (token + 1) * tableColumns)
    expect(output.embeddings.map(toVector)).toEqual([row(1).map((value, index) => (value + (row(2)[index] as number)) / 2), row(3)])
    expect(totalMs).toBeGreaterThan(0)
    const normalized = await model.embed({ tokenIds }, { normalize: true })
    for (const vector of normalized.output.embeddings.map(toVector)) expect(Math.hypot(...vector)).toBeCloseTo(1, 6)
    expect(Buffer.from(await model.readFile('config.json')).toString()).toContain('BertModel')
    await expect(model.readFile('../../secret')).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_MODEL_FILE_MISSING' }))
    await model.dispose()
  })

  it('follow the pooling of the manifest', async () => {
    for (const [name, key, token] of [
      ['cls', 'pooling_mode_cls_token', 1],
      ['last', 'pooling_mode_lasttoken', 2],
    ] as const) {
      writeModelFiles(join(directory, `test/${name}`), { ...toEmbeddingModelFiles(), '1_Pooling/config.json': { [key]: true } })
      const model = await open(`test/${name}`)
      const { output } = await model.embed({ tokenIds: [[1, 2]] }, { normalize: false })
      expect(toVector(output.embeddings[0] as string)).toEqual(table.slice(token * tableColumns, (token + 1) * tableColumns))
      await model.dispose()
    }
  })

  it('come from weights in external data too', async () => {
    writeModelFiles(join(directory, 'test/external'), {
      ...toEmbeddingModelFiles(),
      'onnx/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData: 'weights.bin' }),
      'onnx/weights.bin': Buffer.from(table.buffer),
    })
    const model = await open('test/external')
    expect(model.manifest.files.map(({ path }) => path)).toContain('onnx/weights.bin')
    const { output } = await model.embed({ tokenIds: [[4]] }, { normalize: false })
    expect(toVector(output.embeddings[0] as string)).toEqual(table.slice(4 * tableColumns, 5 * tableColumns))
    await model.dispose()
  })

  it('refuse bad input with a code and go on', async () => {
    const model = await open('test/table')
    const embed = (tokenIds: number[][], signal?: AbortSignal) => model.embed({ tokenIds }, { normalize: true }, signal === undefined ? {} : { signal })
    await expect(embed([])).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_INPUT_INVALID' }))
    await expect(embed([[1], []])).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_INPUT_INVALID' }))
    await expect(embed([[6]])).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_TOKEN_UNKNOWN' }))
    await expect(embed([new Array(13).fill(1)])).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_CONTEXT_EXCEEDED' }))
    await expect(embed(new Array(257).fill([1]))).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_INPUT_INVALID' }))
    await expect(embed([[1]], AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
    expect((await embed([[1]])).output.embeddings).toHaveLength(1)
    await expect(model.generateText({ tokenIds: [1] }, { maxTokens: 1, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }, 0n)).rejects.toThrow(
      expect.objectContaining({ code: 'CUCKOO_INFERENCE_KIND_WRONG' }),
    )
    await model.dispose()
  })

  it.for(['fp32', 'q8'] as const)('in %s equal the plain pipeline over a real model', async (dtype, context) => {
    const found = findTestModel('karpathy/stories260K-embed')
    if (found === null) return context.skip(`skipped: ${whyNoTestModel}`)
    const texts = ['Once upon a time', 'The dog ran.']
    const folder = join(found.directory, found.model)
    const plain = new FeatureExtractionPipeline({
      task: 'feature-extraction',
      model: await AutoModel.from_pretrained(folder, { dtype, device: 'cpu' }),
      tokenizer: await AutoTokenizer.from_pretrained(folder),
    })
    const model = await open(found.model, dtype, found.source)
    const tokenIds = await Promise.all(texts.map((text) => model.tokenizer.encodeText(text)))
    const { output } = await model.embed({ tokenIds }, { normalize: true })
    for (const [index, text] of texts.entries()) {
      const expected = (await plain(text, { pooling: 'mean', normalize: true })) as Tensor
      const vector = toVector(output.embeddings[index] as string)
      if (testDevice === 'cpu') expect(vector).toEqual(expected.data)
      else
        for (const [at, value] of vector.entries())
          expect(Math.abs(value - (expected.data[at] as number))).toBeLessThanOrEqual(dtype === 'q8' ? 0.02 : vectorTolerance)
    }
    await model.dispose()
    await plain.dispose()
  })
})

describe('openModel refuses', () => {
  const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })

  it('a model that is not there, naming those that are', async () => {
    await expect(open('test/absent')).rejects.toThrow(refused('CUCKOO_MODEL_NOT_FOUND', { hint: expect.stringContaining('test/table') }))
    await expect(open('test/absent', 'fp32', { from: 'bundled' })).rejects.toThrow(
      refused('CUCKOO_MODEL_NOT_FOUND', { hint: expect.stringContaining('cuckoo/storyteller') }),
    )
    await expect(open('test/absent', 'fp32', { from: 'hub', revision: null })).rejects.toThrow(refused('CUCKOO_HUB_OFFLINE'))
  })

  it('a name that leaves the folder', async () => {
    for (const name of ['../table', 'test/../../etc', '/etc/passwd', 'test/%2e%2e'])
      await expect(open(name)).rejects.toThrow(refused('CUCKOO_MODEL_NAME_INVALID'))
  })

  it('a dtype that is not there', async () => {
    await expect(open('test/table', 'q8')).rejects.toThrow(refused('CUCKOO_MODEL_DTYPE_MISSING', { hint: 'It has fp32: choose one of them.' }))
  })

  it('a model that the runtime cannot load, with the reason', async () => {
    const path = join(directory, 'test/broken')
    writeModelFiles(path, toEmbeddingModelFiles())
    const graph = createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state' })
    writeFileSync(join(path, 'onnx/model.onnx'), Buffer.from(graph.toString('latin1').replace('Gather', 'Mather'), 'latin1'))
    await expect(open('test/broken')).rejects.toThrow(refused('CUCKOO_MODEL_LOAD_FAILED', { kind: 'invalid', message: expect.stringContaining('Mather') }))
    writeModelFiles(path, {
      ...toEmbeddingModelFiles(),
      'config.json': { architectures: ['NoSuchCausalLM'], model_type: 'no_such', vocab_size: 6, max_position_embeddings: 9 },
      'onnx/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'logits' }),
    })
    await expect(open('test/broken')).rejects.toThrow(refused('CUCKOO_MODEL_LOAD_FAILED'))
  })

  it('a device that is not there, and never takes another', async () => {
    const devices = await engine.listDevices()
    for (const { device, available, detail } of devices.filter(({ available }) => !available)) {
      expect(available).toBe(false)
      await expect(engine.openModel({ model: 'test/table', source: { from: 'folder', directory }, dtype: 'fp32', device })).rejects.toThrow(
        refused('CUCKOO_DEVICE_UNAVAILABLE', { message: expect.stringContaining(detail) }),
      )
    }
    const model = await engine.openModel({ model: 'test/table', source: { from: 'folder', directory }, dtype: 'fp32', device: 'auto' })
    expect(model.deviceReason).toMatch(/^best here: /)
    await model.dispose()
  })
})

it('opens a model from the hub at the commit it names, and again without it', async () => {
  const commit = 'c0ffee'.padEnd(40, '0')
  const files = new Map(
    Object.entries(toEmbeddingModelFiles()).map(([path, content]) => [path, Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))]),
  )
  const siblings = [...files].map(([rfilename, content]) => ({
    rfilename,
    size: content.length,
    lfs: { sha256: createHash('sha256').update(content).digest('hex'), size: content.length },
  }))
  const hub = createServer(({ url = '' }, response) => {
    if (url === '/api/models/test/hub/revision/main?blobs=true') response.end(JSON.stringify({ sha: commit, siblings }))
    else response.end(files.get(url.replace(`/test/hub/resolve/${commit}/`, '')))
  })
  const hubUrl = await new Promise<string>((resolve) => hub.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(hub.address() as AddressInfo).port}`)))
  const request = { model: 'test/hub', source: { from: 'hub', revision: null }, dtype: 'fp32', device: 'cpu' } as const
  const online = createEngine({ modelsDirectory: join(directory, 'hub'), hubUrl })
  const seen: string[] = []
  const model = await online.openModel({ ...request, onProgress: ({ file }) => seen.push(file) })
  expect(model.manifest.revision).toBe(commit)
  expect(seen).toContain('onnx/model.onnx')
  await online.dispose()
  hub.closeAllConnections()
  await new Promise((resolve) => hub.close(resolve))
  const again = await engine.openModel(request)
  expect(again.manifestDigest).toBe(model.manifestDigest)
  expect((await again.embed({ tokenIds: [[1]] }, { normalize: false })).output.dimensions).toBe(tableColumns)
  await again.dispose()
})

it('lists the bundled models', async () => {
  expect(await engine.listBundledModels()).toContainEqual({ model: 'cuckoo/storyteller', kind: 'text', dtypes: ['fp32', 'q8'], bytes: expect.any(Number) })
})
