import { describe, expect, it } from 'vitest'
import { configInvalid } from '../../../src/errors/config.ts'
import { toBackoffMs } from '../../../src/miner/backoff.ts'
import { loadModels, type OfferedModel } from '../../../src/miner/loadModels.ts'
import { createFakeEngine } from '../../support/minerFakes.ts'

const clock = { nowMs: () => 0 }
const toOffer = (model: string): OfferedModel => ({ model, source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' })

describe('loadModels', () => {
  it('warms each model up and measures its speed', async () => {
    const engine = createFakeEngine()
    const loaded: string[] = []
    const models = await loadModels(engine, [toOffer('test/counter'), toOffer('test/embed')], {
      clock,
      onLoaded: ({ model }) => loaded.push(model.manifest.model),
    })
    // 16 tokens in 16 ms; 9 input tokens in 1 ms
    expect([...models.values()].map(({ unitsPerSecond }) => unitsPerSecond)).toEqual([1000, 9000])
    expect(loaded).toEqual(['test/counter', 'test/embed'])
    expect(engine.openModels).toBe(2)
  })

  it('lets go of what it loaded when one cannot be used', async () => {
    const engine = createFakeEngine()
    await expect(loadModels(engine, [], { clock })).rejects.toMatchObject({ code: 'CUCKOO_MINER_MODELS_MISSING', kind: 'usage' })
    await expect(loadModels(engine, [toOffer('test/a'), toOffer('test/a')], { clock })).rejects.toMatchObject({
      code: 'CUCKOO_MINER_MODEL_TWICE',
      kind: 'usage',
    })
    expect(engine.openModels).toBe(0)
    const cause = new RangeError('a node of the graph')
    const open = engine.openModel
    engine.openModel = async (request) => ({ ...(await open(request)), embed: () => Promise.reject(cause) })
    await expect(loadModels(engine, [toOffer('test/a'), toOffer('test/embed')], { clock })).rejects.toMatchObject({
      code: 'CUCKOO_MINER_MODEL_UNUSABLE',
      kind: 'config',
      cause,
    })
    expect(engine.openModels).toBe(0)
  })

  it('passes the engine’s own errors', async () => {
    const engine = createFakeEngine()
    const error = configInvalid({ source: 'the engine', value: 'x', problem: 'no such device' })
    engine.openModel = () => Promise.reject(error)
    await expect(loadModels(engine, [toOffer('test/a')], { clock })).rejects.toBe(error)
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
