import { describe, expect, it } from 'vitest'
import { zTaskContent } from '../../../src/api/kindSchemas.ts'
import { sha256 } from '../../../src/domain/canonical.ts'
import { listInputMedia, type TaskContent } from '../../../src/domain/task.ts'
import { modelKinds } from '../../../src/domain/taskKinds.ts'
import { configInvalid } from '../../../src/errors/config.ts'
import { inferenceInputInvalid } from '../../../src/errors/inference.ts'
import { toBackoffMs } from '../../../src/miner/backoff.ts'
import { loadModels } from '../../../src/miner/loadModels.ts'
import { ModelShelf, type OfferedModel } from '../../../src/miner/modelShelf.ts'
import { createFakeEngine, type FakeEngine } from '../../support/minerFakes.ts'

const toOffer = (model: string): OfferedModel => ({ model, source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' })

const createShelf = (engine: FakeEngine) => new ModelShelf({ engine, memoryBytes: null, slotsByDevice: {}, pinned: [] })

describe('loadModels', () => {
  it('warms each model up and measures its speed', async () => {
    const shelf = createShelf(createFakeEngine())
    const loaded: string[] = []
    await loadModels(shelf, [toOffer('test/counter'), toOffer('test/embed')], { onLoaded: ({ manifest }) => loaded.push(manifest.model) })
    // 16 tokens in 16 ms; 9 input tokens in 1 ms
    expect([...shelf.models.values()].map(({ unitsPerSecond }) => unitsPerSecond)).toEqual([1000, 9000])
    expect(loaded).toEqual(['test/counter', 'test/embed'])
  })

  it.each(modelKinds)('gives a model of the kind %s a small input that the wire would take', async (kind) => {
    const engine = createFakeEngine()
    const shelf = createShelf(engine)
    const seen: TaskContent[] = []
    engine.mediaScript = async ({ content, media }) => {
      seen.push(content)
      const [named] = listInputMedia(content)
      expect(media === null ? null : sha256(media)).toBe(named?.sha256 ?? null)
      return { output: { text: '' }, files: [] }
    }
    await loadModels(shelf, [toOffer(`test/${kind}`)])
    for (const content of seen) expect(zTaskContent.parse(content)).toEqual(content)
    expect(seen).toHaveLength(kind === 'text' || kind === 'embedding' ? 0 : 2)
    expect([...shelf.models.values()][0]?.unitsPerSecond).toBeGreaterThan(0)
  })

  it('takes a pipeline that refuses the small input for one of unknown speed', async () => {
    const engine = createFakeEngine()
    engine.mediaScript = async () => {
      throw inferenceInputInvalid({ problem: 'it wants to know the languages' })
    }
    const shelf = createShelf(engine)
    await loadModels(shelf, [toOffer('test/translation')])
    expect([...shelf.models.values()][0]?.unitsPerSecond).toBe(0)
  })

  it('says which model cannot be used', async () => {
    const engine = createFakeEngine()
    await expect(loadModels(createShelf(engine), [])).rejects.toMatchObject({ code: 'CUCKOO_MINER_MODELS_MISSING', kind: 'usage' })
    const shelf = createShelf(engine)
    await expect(loadModels(shelf, [toOffer('test/a'), toOffer('test/a')])).rejects.toMatchObject({ code: 'CUCKOO_MINER_MODEL_TWICE', kind: 'usage' })
    expect(engine.open).toEqual(['test/a'])
    await shelf.dispose()
    expect(engine.open).toEqual([])
    const cause = new RangeError('a node of the graph')
    const open = engine.openModel
    engine.openModel = async (request) => ({ ...(await open(request)), embed: () => Promise.reject(cause) })
    await expect(loadModels(createShelf(engine), [toOffer('test/a'), toOffer('test/embed')])).rejects.toMatchObject({
      code: 'CUCKOO_MINER_MODEL_UNUSABLE',
      kind: 'config',
      cause,
    })
  })

  it('passes the engine’s own errors', async () => {
    const engine = createFakeEngine()
    const error = configInvalid({ source: 'the engine', value: 'x', problem: 'no such device' })
    engine.openModel = () => Promise.reject(error)
    await expect(loadModels(createShelf(engine), [toOffer('test/a')])).rejects.toBe(error)
  })
})

describe('toBackoffMs', () => {
  it('doubles the ceiling to the maximum, and draws between it and the floor', () => {
    const policy = { baseMs: 500, maxMs: 3_000 }
    expect([1, 2, 3, 4, 50].map((failures) => toBackoffMs(policy, failures, () => 0.999_999))).toEqual([500, 1000, 2000, 3000, 3000])
    expect([1, 2, 3, 4, 50].map((failures) => toBackoffMs(policy, failures, () => 0))).toEqual([250, 250, 250, 250, 250])
    expect(toBackoffMs({ baseMs: 500, maxMs: 30_000 }, 3, () => 0.5)).toBe(1125)
  })
})
