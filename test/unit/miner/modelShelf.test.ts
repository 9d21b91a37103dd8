import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Hash } from '../../../src/domain/hex.ts'
import { inferenceDisposed, inferenceOutOfMemory, inferenceWorkerEnded, modelNotFound, tokenizerTimedOut } from '../../../src/errors/inference.ts'
import type { UnloadReason } from '../../../src/miner/minerEvents.ts'
import { ModelShelf, type ModelShelfOptions, type OfferedModel, toMemoryBytes } from '../../../src/miner/modelShelf.ts'
import { waitFor } from '../../support/minerCoordinator.ts'
import { createFakeEngine, createManifest, type FakeEngine } from '../../support/minerFakes.ts'

const toOffer = (model: string): OfferedModel => ({ model, source: { from: 'bundled' }, dtype: 'fp32', device: 'auto' })
/** What a test model of 1000 bytes of weights takes. */
const modelBytes = toMemoryBytes(createManifest('test/x', 'text', 1000))

/** A shelf of test models of 1000 bytes with a budget for `fits` of them. */
async function createShelf(models: string[], fits: number | null, more: Partial<ModelShelfOptions> = {}) {
  const engine = createFakeEngine()
  const unloaded: [string, UnloadReason][] = []
  const reloaded: string[] = []
  const shelf = new ModelShelf({
    engine,
    memoryBytes: fits === null ? null : fits * modelBytes,
    slotsByDevice: {},
    pinned: [],
    onUnloaded: ({ manifest }, reason) => unloaded.push([manifest.model, reason]),
    onReloaded: ({ manifest }) => reloaded.push(manifest.model),
    ...more,
  })
  for (const model of models) await shelf.add(toOffer(model))
  const get = (model: string) => [...shelf.models.values()].find(({ manifest }) => manifest.model === model)?.manifestDigest as Hash
  const use = (model: string) => shelf.run(get(model), async (open) => open.manifest.model)
  return { engine, shelf, get, use, unloaded, reloaded }
}

const [a, b, c] = ['test/a-1000', 'test/b-1000', 'test/c-1000']

describe('a memory budget', () => {
  it('unloads what was used least recently, and a run loads it again', async () => {
    const { engine, shelf, use, unloaded, reloaded } = await createShelf([a, b, c], 2)
    expect(engine.open).toEqual([b, c])
    await use(b)
    expect(await use(a)).toBe(a)
    expect(engine.open).toEqual([b, a])
    expect(unloaded).toEqual([
      [a, 'memory'],
      [c, 'memory'],
    ])
    expect(reloaded).toEqual([a])
    const { models, memory } = shelf.getState()
    expect(models.map(({ model, state }) => [model, state])).toEqual([
      [a, 'loaded'],
      [b, 'loaded'],
      [c, 'unloaded'],
    ])
    expect(memory).toEqual({ usedBytes: 2 * modelBytes, budgetBytes: 2 * modelBytes })
    expect([...shelf.models.values()].map(({ manifest }) => manifest.model)).toEqual([a, b, c])
  })

  it('never unloads what is pinned, nor what runs: a run waits for another to end', async () => {
    const { engine, shelf, get, use } = await createShelf([a, b, c], 2, { pinned: [a] })
    expect(engine.open).toEqual([a, c])
    const release = Promise.withResolvers<void>()
    const long = shelf.run(get(c), () => release.promise)
    let done = false
    const waiting = use(b).then(() => {
      done = true
    })
    await delay(20)
    expect([done, engine.open]).toEqual([false, [a, c]])
    release.resolve()
    await Promise.all([long, waiting])
    expect(engine.open).toEqual([a, b])
  })

  it('lets no model that is always busy keep another out', async () => {
    const { engine, shelf, get, use } = await createShelf([a, b], 1)
    let isOver = false
    const busy = async () => {
      while (!isOver) await shelf.run(get(a), () => delay(4))
    }
    const loops = [busy(), delay(2).then(busy)]
    await waitFor(() => shelf.getState().models[0]?.running === 2, 'two runs that overlap')
    expect(await use(b)).toBe(b)
    isOver = true
    await Promise.all(loops)
    expect(engine.opened.filter((model) => model === b)).toHaveLength(2)
  })

  it('loads once for all who wait, and a run that is given up lets the others have it', async () => {
    const { engine, shelf, get, use } = await createShelf([a, b], 1)
    const gate = Promise.withResolvers<void>()
    engine.beforeOpen = () => gate.promise
    const giveUp = new AbortController()
    const first = shelf.run(get(a), async () => 'never', giveUp.signal)
    const second = use(a)
    await waitFor(() => shelf.getState().models[0]?.state === 'loading', 'loading')
    giveUp.abort(new Error('given up'))
    await expect(first).rejects.toThrow('given up')
    gate.resolve()
    expect(await second).toBe(a)
    expect(engine.opened.filter((model) => model === a)).toHaveLength(2)
  })

  it('that pinned models and the largest other do not fit together is said at the start', async () => {
    await expect(createShelf([a, b], 1, { pinned: [a] })).rejects.toMatchObject({
      code: 'CUCKOO_MINER_MODEL_OVER_BUDGET',
      facts: { neededBytes: 2 * modelBytes, pinnedBytes: modelBytes, budgetBytes: modelBytes },
    })
    await expect(createShelf([a], 0.5)).rejects.toMatchObject({ code: 'CUCKOO_MINER_MODEL_OVER_BUDGET' })
  })

  it('counts a model that fails to load as gone, and tries again with the next run', async () => {
    const { engine, shelf, use } = await createShelf([a, b], 1)
    engine.beforeOpen = () => Promise.reject(new Error('the disk is gone'))
    await expect(use(a)).rejects.toMatchObject({ cause: { message: 'the disk is gone' } })
    await waitFor(() => shelf.getState().memory.usedBytes === 0, 'the bytes given back')
    engine.beforeOpen = async () => undefined
    expect(await use(a)).toBe(a)
  })
})

describe('out of memory', () => {
  const outOfMemory = inferenceOutOfMemory({ model: a, device: 'webgpu', reason: 'no more' })

  it('unloads the model and the others of its device, and tries once more', async () => {
    const { engine, shelf, get, unloaded } = await createShelf(['test/gpu-a-1', 'test/gpu-b-1', 'test/c-1'], null)
    let tries = 0
    const result = await shelf.run(get('test/gpu-a-1'), async () => {
      if (++tries === 1) throw outOfMemory
      return [...engine.open]
    })
    expect(result).toEqual(['test/c-1', 'test/gpu-a-1'])
    expect(unloaded).toEqual([
      ['test/gpu-a-1', 'outOfMemory'],
      ['test/gpu-b-1', 'outOfMemory'],
    ])
  })

  it('opens the model again only when it has left the memory, however long that takes', async () => {
    const { engine, shelf, get } = await createShelf([], null)
    const open = engine.openModel
    engine.openModel = async (request) => {
      const model = await open(request)
      return { ...model, dispose: () => delay(20).then(model.dispose) }
    }
    await shelf.add(toOffer(a))
    const loadedThen: number[] = []
    engine.beforeOpen = async () => void loadedThen.push(engine.openModels)
    let tries = 0
    await shelf.run(get(a), async () => {
      if (++tries === 1) throw outOfMemory
    })
    expect(loadedThen).toEqual([0])
  })

  it('for good is the coded error, with the model unloaded and the others usable', async () => {
    const { engine, shelf, get, use } = await createShelf([a, b], null)
    let tries = 0
    const run = shelf.run(get(a), async () => {
      tries++
      throw outOfMemory
    })
    await expect(run).rejects.toBe(outOfMemory)
    expect(tries).toBe(2)
    await waitFor(() => engine.open.length === 0, 'both unloaded')
    expect(await use(b)).toBe(b)
    expect(await use(a)).toBe(a)
  })

  it('while it loads counts too', async () => {
    const { engine, use } = await createShelf([a, b], 1)
    let tries = 0
    engine.beforeOpen = async () => {
      if (++tries === 1) throw outOfMemory
    }
    expect(await use(a)).toBe(a)
    expect(tries).toBe(2)
  })
})

describe('a model that is added', () => {
  const outOfMemory = inferenceOutOfMemory({ model: b, device: 'webgpu', reason: 'no more' })

  it('to a device that holds one at a time makes the others go, which come back for their runs', async () => {
    const { engine, shelf, use, unloaded } = await createShelf([a], null)
    engine.beforeOpen = async () => {
      if (engine.openModels > 0) throw outOfMemory
    }
    await shelf.add(toOffer(b))
    expect([engine.open, unloaded]).toEqual([[b], [[a, 'outOfMemory']]])
    expect(await use(a)).toBe(a)
  })

  it('and fits alone neither is refused with the coded error', async () => {
    const { engine, shelf } = await createShelf([a], null)
    let tries = 0
    engine.beforeOpen = async () => {
      tries++
      throw outOfMemory
    }
    await expect(shelf.add(toOffer(b))).rejects.toBe(outOfMemory)
    expect([tries, [...shelf.models.values()].map(({ manifest }) => manifest.model)]).toEqual([2, [a]])
  })
})

describe('a worker that ends', () => {
  it('over one run is opened again for those that waited behind it, once', async () => {
    const { engine, shelf, get, unloaded } = await createShelf([a], null)
    const ended = inferenceWorkerEnded({ worker: 'model', reason: 'poison' })
    const closed = inferenceDisposed({ what: 'model' })
    const both = Promise.withResolvers<void>()
    let tries = 0
    const killer = shelf.run(get(a), async () => {
      await both.promise
      throw ended
    })
    const behind = shelf.run(get(a), async () => {
      both.resolve()
      if (++tries === 1) throw closed
      return 'done'
    })
    await expect(killer).rejects.toBe(ended)
    expect(await behind).toBe('done')
    expect([engine.opened, unloaded]).toEqual([[a, a], [[a, 'workerEnded']]])
    await expect(shelf.run(get(a), () => Promise.reject(closed))).rejects.toBe(closed)
  })

  it('because the shelf is closed is not opened again', async () => {
    const { engine, shelf, get } = await createShelf([a], null)
    const closed = inferenceDisposed({ what: 'model' })
    const run = shelf.run(get(a), async () => {
      await shelf.dispose()
      throw closed
    })
    await expect(run).rejects.toBe(closed)
    expect(engine.opened).toEqual([a])
  })

  it.each([inferenceWorkerEnded({ worker: 'model', reason: 'poison' }), tokenizerTimedOut({ task: 'encode the text', timeoutMs: 5_000 })])(
    'fails its run only ($code): the next run opens the model again',
    async (error) => {
      const { engine, shelf, get, use, unloaded } = await createShelf([a], null)
      await expect(shelf.run(get(a), () => Promise.reject(error))).rejects.toBe(error)
      expect(await use(a)).toBe(a)
      expect(engine.opened).toEqual([a, a])
      expect(unloaded).toEqual([[a, 'workerEnded']])
    },
  )

  it('does not come back as another model: files that have changed are refused', async () => {
    const { engine, shelf, get, use } = await createShelf([a], null)
    const open = engine.openModel
    engine.openModel = async (request) => ({ ...(await open(request)), manifestDigest: `0x${'00'.repeat(32)}` })
    await shelf.unloadAll()
    await expect(use(a)).rejects.toMatchObject({ code: 'CUCKOO_MINER_MODEL_UNUSABLE' })
    expect([engine.open, get(a)]).toEqual([[], get(a)])
  })
})

describe('a model that does not load again', () => {
  const gone = modelNotFound({ model: a, where: '/media/of/this/machine', known: '' })
  const breakDown = (engine: FakeEngine) => {
    engine.beforeOpen = (model) => (model === a ? Promise.reject(gone) : Promise.resolve())
  }
  const listOffered = (shelf: ModelShelf) => shelf.offered.map(({ manifest }) => manifest.model)

  it('is a fault of this machine, whatever the engine says, in words that name none of its folders', async () => {
    const { engine, shelf, use } = await createShelf([a, b], null)
    await shelf.unloadAll()
    breakDown(engine)
    const error = await use(a).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'CUCKOO_MINER_MODEL_UNUSABLE', kind: 'config', cause: gone, message: expect.stringContaining(a) })
    expect((error as Error).message).not.toContain('/media')
    expect(listOffered(shelf)).toEqual([a, b])
  })

  it('three times in a row is not offered, nor opened by tasks, and has no part in the room there is; one that loads between begins anew', async () => {
    const withheld: string[] = []
    const gpu = 'test/gpu-b-1000'
    const { engine, shelf, get, use } = await createShelf([a, gpu], null, {
      slotsByDevice: { webgpu: 1 },
      onWithheld: ({ manifest }, _, { reason }) => withheld.push(`${manifest.model}: ${reason}`),
    })
    const { outdated } = shelf
    await shelf.unloadAll()
    shelf.resume()
    breakDown(engine)
    for (let run = 0; run < 2; run++) await expect(use(a)).rejects.toThrow()
    engine.beforeOpen = async () => undefined
    await use(a)
    await shelf.unloadAll()
    shelf.resume()
    breakDown(engine)
    for (let run = 0; run < 2; run++) await expect(use(a)).rejects.toThrow()
    expect([listOffered(shelf), outdated.aborted, shelf.countRoom()]).toEqual([[a, gpu], false, Number.POSITIVE_INFINITY])
    await expect(use(a)).rejects.toThrow()
    expect([listOffered(shelf), outdated.aborted, shelf.outdated.aborted, shelf.countRoom()]).toEqual([[gpu], true, false, 1])
    expect(withheld).toEqual([`${a}: ${gone.message}`])
    expect(shelf.getState().models.map((model) => model.withheld)).toEqual([{ reason: gone.message, retryAtMs: expect.any(Number) }, null])
    engine.beforeOpen = () => Promise.reject(new Error('nobody opens it'))
    await expect(use(a)).rejects.toMatchObject({ code: 'CUCKOO_MINER_MODEL_UNUSABLE', cause: gone })
    expect(shelf.models.has(get(a))).toBe(true)
    await shelf.dispose()
  })

  it('is opened again now and then, not while the miner rests, and offered again when it loads', async () => {
    const offered = Promise.withResolvers<string>()
    let told = 0
    const { engine, shelf, use } = await createShelf([a, b], null, {
      retryMs: [1, 2],
      onWithheld: () => told++,
      onOffered: ({ manifest }) => offered.resolve(manifest.model),
    })
    await shelf.unloadAll()
    shelf.resume()
    breakDown(engine)
    for (let run = 0; run < 3; run++) await expect(use(a)).rejects.toThrow()
    const { outdated } = shelf
    await waitFor(() => told >= 3, 'two tries in vain')
    await shelf.unloadAll()
    let tries = 0
    engine.beforeOpen = async () => void tries++
    await delay(20)
    expect([tries, listOffered(shelf)]).toEqual([0, [b]])
    shelf.resume()
    expect(await offered.promise).toBe(a)
    expect([listOffered(shelf), outdated.aborted, shelf.getState().models[0]?.withheld]).toEqual([[a, b], true, null])
    expect(await use(a)).toBe(a)
    await shelf.dispose()
  })
})

describe('slots of a device', () => {
  it('bound what runs on it at once, first come first served, beside other devices', async () => {
    const { shelf, get } = await createShelf(['test/gpu-a-1', 'test/gpu-b-1', 'test/c-1'], null, { slotsByDevice: { webgpu: 1 } })
    const order: string[] = []
    let onGpu = 0
    const work = (name: string) => async () => {
      order.push(name)
      expect(++onGpu).toBe(1)
      await delay(5)
      onGpu--
    }
    const runs = ['test/gpu-a-1', 'test/gpu-b-1', 'test/gpu-a-1'].map((model, index) => shelf.run(get(model), work(`${index}`)))
    expect(await shelf.run(get('test/c-1'), async () => shelf.getState().devices)).toEqual([
      { device: 'webgpu', running: 1, waiting: 2, slots: 1 },
      { device: 'cpu', running: 1, waiting: 0, slots: null },
    ])
    await Promise.all(runs)
    expect(order).toEqual(['0', '1', '2'])
  })

  it('that are taken leave no room for more tasks', async () => {
    const { shelf, get } = await createShelf(['test/gpu-a-1'], null, { slotsByDevice: { webgpu: 2 } })
    expect(shelf.countRoom()).toBe(2)
    await shelf.run(get('test/gpu-a-1'), async () => expect(shelf.countRoom()).toBe(1))
    expect((await createShelf(['test/gpu-a-1', a], null, { slotsByDevice: { webgpu: 2 } })).shelf.countRoom()).toBe(Number.POSITIVE_INFINITY)
  })

  it('are not waited for by a run that is given up', async () => {
    const { shelf, get } = await createShelf(['test/gpu-a-1'], null, { slotsByDevice: { webgpu: 1 } })
    const release = Promise.withResolvers<void>()
    const long = shelf.run(get('test/gpu-a-1'), () => release.promise)
    const giveUp = new AbortController()
    const waiting = shelf.run(get('test/gpu-a-1'), async () => 'never', giveUp.signal)
    giveUp.abort(new Error('given up'))
    await expect(waiting).rejects.toThrow('given up')
    release.resolve()
    await long
    expect(await shelf.run(get('test/gpu-a-1'), async () => 'next')).toBe('next')
  })
})
