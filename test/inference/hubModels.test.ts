import { mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/domain/enginePort.ts'
import { createEngine, type EngineOptions } from '../../src/inference/createEngine.ts'
import { createModelCache } from '../../src/inference/modelCache.ts'
import { hubCommit, startHub, type TestHub } from '../support/hub.ts'
import { createGraph, createTableGraph, type GraphParts, table, tableColumns, toEmbeddingModelFiles, writeModelFiles } from '../support/onnx.ts'

let directory: string
let hub: TestHub
let options: EngineOptions
const engines: Engine[] = []
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-hub-models-'))
  // As large models are exported for transformers.js: the graph alone, and its weights in files beside it.
  hub = await startHub({
    ...toEmbeddingModelFiles(),
    'config.json': {
      architectures: ['BertModel'],
      model_type: 'bert',
      vocab_size: 6,
      max_position_embeddings: 16,
      'transformers.js_config': { use_external_data_format: { 'model.onnx': 1 } },
    },
    'onnx/model.onnx': createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData: 'model.onnx_data' }),
    'onnx/model.onnx_data': Buffer.from(table.buffer),
  })
  options = { modelsDirectory: join(directory, 'models'), allowedModelsFile: join(directory, 'allowed.json'), hubUrl: hub.baseUrl }
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose()
  await hub.close()
  rmSync(directory, { recursive: true, force: true })
})

const open = (more: Partial<EngineOptions> = {}) => {
  const engine = createEngine({ ...options, ...more })
  engines.push(engine)
  return engine.openModel({ model: 'a/b', source: { from: 'hub', revision: null }, dtype: 'fp32', device: 'cpu' })
}
/** The vector of the token `id`. */
const embed = async (model: Awaited<ReturnType<typeof open>>, id: number) => {
  const { output } = await model.embed({ tokenIds: [[id]] }, { normalize: false })
  return [...new Float32Array(Uint8Array.from(Buffer.from(output.embeddings[0] as string, 'base64')).buffer)]
}
const row = (id: number) => [...table.slice(id * tableColumns, (id + 1) * tableColumns)]
const at = (...path: string[]) => join(options.modelsDirectory, 'a', 'b', hubCommit, ...path)
const code = (value: string, more: object = {}) => expect.objectContaining({ code: value, ...more })

describe('a model of the hub whose weights lie beside its graph', () => {
  it('is pulled, loaded by the runtime and run; the manifest that was pulled is the one that runs', async () => {
    const pulled = await createModelCache(options).pull({ model: 'a/b', dtype: 'fp32', revision: null })
    expect(pulled.manifest.files.map(({ path }) => path)).toContain('onnx/model.onnx_data')
    const model = await open({ offline: true })
    expect(model.manifestDigest).toBe(pulled.digest)
    expect(await embed(model, 4)).toEqual(row(4))
  })

  it('runs from a cache that was moved', async () => {
    await createModelCache(options).pull({ model: 'a/b', dtype: 'fp32', revision: null })
    renameSync(options.modelsDirectory, join(directory, 'moved'))
    expect(await embed(await open({ modelsDirectory: join(directory, 'moved'), offline: true }), 2)).toEqual(row(2))
  })

  it('fault 15: altered or truncated weights are never run: set aside, fetched again once, refused where that cannot be', async () => {
    await (await open()).dispose()
    const altered = Buffer.from(table.map((value) => value + 1).buffer)
    writeFileSync(at('onnx', 'model.onnx_data'), altered)
    await expect(open({ offline: true })).rejects.toThrow(code('CUCKOO_HUB_OFFLINE', { message: expect.stringContaining('onnx/model.onnx_data was altered') }))
    expect(readFileSync(at('onnx', 'model.onnx_data.quarantined'))).toEqual(altered)
    hub.requests.length = 0
    const model = await open()
    expect(hub.requests.filter(({ url }) => url.startsWith('/onnx/')).map(({ url }) => url)).toEqual(['/onnx/model.onnx_data'])
    expect(await embed(model, 5)).toEqual(row(5))
    await model.dispose()
    truncateSync(at('onnx', 'model.onnx_data'), 10)
    expect(await embed(await open(), 1)).toEqual(row(1))
  })

  it('fault 14: external data that leads out of the folder is refused before anything of it is fetched', async () => {
    for (const externalData of ['../../../../secret', '/etc/hostname', '%2e%2e/secret', '*/_ORT_MEM_ADDR_/*']) {
      rmSync(options.modelsDirectory, { recursive: true, force: true })
      hub.files.set('onnx/model.onnx', createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData }))
      await expect(open()).rejects.toThrow(expect.objectContaining({ code: expect.stringMatching(/^CUCKOO_MODEL_FILE_(ESCAPES|MISSING)$/), kind: 'invalid' }))
    }
  })
})

describe('what the linter refuses is not loaded', () => {
  const parts = (nodes: GraphParts['nodes'], tensors: NonNullable<GraphParts['tensors']> = {}): GraphParts => ({
    inputs: { input_ids: ['int64', ['batch', 'n']] },
    outputs: { last_hidden_state: ['float', ['batch', 'n', tableColumns]] },
    nodes,
    tensors: { table: { dimensions: [6, tableColumns], floats: table }, ...tensors },
  })
  const openFolder = (graph: GraphParts) => {
    writeModelFiles(join(directory, 'own', 'a', 'b'), { ...toEmbeddingModelFiles(), 'onnx/model.onnx': createGraph(graph) })
    const engine = createEngine(options)
    engines.push(engine)
    return engine.openModel({ model: 'a/b', source: { from: 'folder', directory: join(directory, 'own') }, dtype: 'fp32', device: 'cpu' })
  }
  const loop = (rounds: string): GraphParts['nodes'] => [
    ['Gather', ['table', 'input_ids'], ['start']],
    [
      'Loop',
      [rounds, '', 'start'],
      ['last_hidden_state'],
      {
        body: {
          graph: {
            inputs: { i: ['int64', []], on: ['bool', []], state: ['float', ['batch', 'n', tableColumns]] },
            outputs: { still: ['bool', []], next: ['float', ['batch', 'n', tableColumns]] },
            nodes: [
              ['Identity', ['on'], ['still']],
              ['Add', ['state', 'state'], ['next']],
            ],
          },
        },
      },
    ],
  ]

  it('random numbers, which the runtime itself would take', async () => {
    await expect(
      openFolder(
        parts([
          ['Gather', ['table', 'input_ids'], ['rows']],
          ['RandomNormalLike', ['rows'], ['noise']],
          ['Add', ['rows', 'noise'], ['last_hidden_state']],
        ]),
      ),
    ).rejects.toThrow(code('CUCKOO_MODEL_UNSAFE', { message: expect.stringContaining('RandomNormalLike (noise)') }))
  })

  it('a loop without end; one of a fixed number of rounds runs', async () => {
    await expect(openFolder(parts(loop('')))).rejects.toThrow(
      code('CUCKOO_MODEL_UNSAFE', { message: expect.stringContaining('Loop last_hidden_state has no fixed number of rounds') }),
    )
    const model = await openFolder(parts(loop('rounds'), { rounds: { dimensions: [], int64s: [3] } }))
    expect(await embed(model, 3)).toEqual(row(3).map((value) => 8 * value))
  })
})
