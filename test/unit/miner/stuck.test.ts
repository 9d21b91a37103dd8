import { expect, it } from 'vitest'
import type { OpenModel, RunWatch } from '../../../src/domain/enginePort.ts'
import type { Hash } from '../../../src/domain/hex.ts'
import type { TaskContent } from '../../../src/domain/task.ts'
import { ModelShelf, toMemoryBytes } from '../../../src/miner/modelShelf.ts'
import { createTestTask, waitFor } from '../../support/minerCoordinator.ts'
import { createFakeEngine, createFakeMinerStore, createManifest } from '../../support/minerFakes.ts'
import { coordinatorParty, createCoordinator, createMiner, endRigsAfterEach, minerNode, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()

const never = new Promise<never>(() => undefined)
const toModels = (...names: string[]) => names.map((model) => ({ model, source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' }) as const)
const toContent = (...tokenIds: number[]): TaskContent => ({
  kind: 'completion',
  input: { tokenIds },
  params: { maxTokens: 5, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' },
})
const toTask = (name: string, model: string, ...tokenIds: number[]) =>
  createTestTask(coordinatorParty, minerNode, name, { content: toContent(...tokenIds), manifest: createManifest(model) })

/** An engine whose models never let go of the token 666, nor end before they do. */
function createStickyEngine() {
  const engine = createFakeEngine()
  const watches = new Map<string, RunWatch>()
  const open = engine.openModel
  engine.openModel = async (request) => {
    if (request.watch !== undefined) watches.set(request.model, request.watch)
    const model = await open(request)
    let isHeld = false
    const sticky: OpenModel = {
      ...model,
      generateText: async (input, params, seed, hooks) => {
        if (!input.tokenIds.includes(666)) return model.generateText(input, params, seed, hooks)
        isHeld = true
        await hooks?.onBegin?.(never)
        const aborted = Promise.withResolvers<never>()
        hooks?.signal?.addEventListener('abort', () => aborted.reject(hooks.signal?.reason))
        return aborted.promise
      },
      dispose: () => (isHeld ? never : model.dispose()),
    }
    return sticky
  }
  return { engine, watches }
}

const [a, b, c] = ['test/a-1000', 'test/b-1000', 'test/c-1000'] as const

/** A shelf of models that has memory for two, and what it tells of them. */
async function createFullShelf(...models: string[]) {
  const { engine, watches } = createStickyEngine()
  const heard: string[] = []
  const shelf = new ModelShelf({
    engine,
    memoryBytes: 2 * toMemoryBytes(createManifest(a, 'text', 1000)),
    slotsByDevice: {},
    pinned: [],
    timing: { firstLoadMs: 5678, loadMs: 1234 },
    onWithheld: ({ manifest }, { code }, { retryAtMs }) => heard.push(`${manifest.model} ${code} ${retryAtMs}`),
    onOffered: ({ manifest }) => heard.push(`${manifest.model} offered`),
  })
  for (const offer of toModels(...models)) await shelf.add(offer)
  const use = (model: string) => {
    const found = [...shelf.models.values()].find(({ manifest }) => manifest.model === model)
    return shelf.run(found?.manifestDigest as Hash, async (open) => open.manifest.model)
  }
  return { shelf, engine, watches, heard, use }
}

it('a model with a run that does not end is not offered, says so, and keeps its place in the memory; others go on, and it does once the run ends', async () => {
  const { shelf, engine, watches, heard, use } = await createFullShelf(c, b, a)
  const { outdated } = shelf
  watches.get(a)?.onStuck(true)
  expect([shelf.offered.map(({ manifest }) => manifest.model), outdated.aborted]).toEqual([[c, b], true])
  await expect(use(a)).rejects.toMatchObject({ code: 'CUCKOO_INFERENCE_STUCK', kind: 'unavailable' })
  expect([await use(c), await use(b)]).toEqual([c, b])
  expect(engine.open).toEqual([a, b])
  watches.get(b)?.onStuck(true)
  await expect(use(c)).rejects.toMatchObject({ code: 'CUCKOO_MINER_MEMORY_STUCK' })
  watches.get(a)?.onStuck(false)
  expect(await use(a)).toBe(a)
  expect(heard).toEqual([`${a} CUCKOO_INFERENCE_STUCK null`, `${b} CUCKOO_INFERENCE_STUCK null`, `${a} offered`])
  expect((await shelf.dispose()).map(({ manifest }) => manifest.model)).toEqual([b])
})

it('a model whose loading does not end fails those that wait for it, is not offered, and keeps its place in the memory; it is there once it loads', async () => {
  const { shelf, engine, watches, heard, use } = await createFullShelf(a, b, c)
  expect(watches.get(a)?.loadMs).toBe(5678)
  const loaded = Promise.withResolvers<void>()
  engine.beforeOpen = (model) => (model === a ? loaded.promise : Promise.resolve())
  watches.delete(a)
  const waiting = [use(a), use(a)].map((run) => run.catch((error: unknown) => error))
  await waitFor(() => watches.has(a), 'loading')
  expect(watches.get(a)?.loadMs).toBe(1234)
  watches.get(a)?.onStuck(true)
  const stuck = { code: 'CUCKOO_INFERENCE_STUCK', facts: { model: a } }
  expect(await Promise.all(waiting)).toMatchObject([stuck, stuck])
  await expect(use(a)).rejects.toMatchObject(stuck)
  expect(shelf.getState().models.map(({ model, state, running, withheld }) => [model, state, running, withheld === null])).toEqual([
    [a, 'loading', 0, false],
    [b, 'unloaded', 0, true],
    [c, 'loaded', 0, true],
  ])
  // There is room for one beside it.
  expect([await use(b), await use(c), engine.open]).toEqual([b, c, [c]])
  watches.get(a)?.onStuck(false)
  const last = use(a)
  await new Promise(setImmediate)
  loaded.resolve()
  expect(await last).toBe(a)
  expect(heard).toEqual([`${a} CUCKOO_INFERENCE_STUCK null`, `${a} offered`])
  expect(await shelf.dispose()).toEqual([])
})

it('a model whose first loading does not end is not added; when it has loaded after all, it is closed', async () => {
  const { engine, watches } = createStickyEngine()
  const shelf = new ModelShelf({ engine, memoryBytes: null, slotsByDevice: {}, pinned: [] })
  const loaded = Promise.withResolvers<void>()
  engine.beforeOpen = () => loaded.promise
  const [offer] = toModels(a)
  const adding = shelf.add(offer as NonNullable<typeof offer>)
  await waitFor(() => watches.has(a), 'loading')
  watches.get(a)?.onStuck(true)
  await expect(adding).rejects.toMatchObject({ code: 'CUCKOO_INFERENCE_STUCK', facts: { model: a }, endsProcess: true })
  expect([shelf.models.size, shelf.getState().memory.usedBytes]).toEqual([0, 0])
  watches.get(a)?.onStuck(false)
  loaded.resolve()
  await waitFor(() => engine.opened.length === 1 && engine.openModels === 0, 'opened and closed')
})

it.each([
  ['take longer than they may', undefined],
  ['are under way when it is told to stop', new Error('stop')],
])('a miner whose first runs %s ends with the coded error where the model does not let go', async (_, reason) => {
  const { engine } = createStickyEngine()
  const open = engine.openModel
  const begun = Promise.withResolvers<void>()
  engine.openModel = async (request) => {
    const model = await open(request)
    const generateText: OpenModel['generateText'] = (input, ...rest) => {
      begun.resolve()
      return model.generateText({ ...input, tokenIds: [666] }, ...rest)
    }
    return { ...model, generateText }
  }
  const stop = new AbortController()
  if (reason !== undefined) void begun.promise.then(() => setImmediate(() => stop.abort(reason)))
  const firstLoadMs = reason === undefined ? 100 : 60_000
  const start = createMiner([], { engine, config: { models: toModels('test/counter') }, timing: { letGoMs: 100, firstLoadMs }, signal: stop.signal })
  await expect(start).rejects.toMatchObject({
    code: 'CUCKOO_MINER_STUCK',
    facts: { models: 'test/counter' },
    cause: reason ?? { code: 'CUCKOO_MINER_MODEL_UNUSABLE', message: expect.stringContaining('its first two runs take longer than') },
  })
})

it('such a model that is unloaded meanwhile leaves the memory when it has loaded and closed, or failed', async () => {
  const { engine, watches } = createStickyEngine()
  const shelf = new ModelShelf({ engine, memoryBytes: null, slotsByDevice: {}, pinned: [] })
  for (const offer of toModels('test/a')) await shelf.add(offer)
  const digest = [...shelf.models.keys()][0] as Hash
  for (const end of ['loads', 'fails'] as const) {
    await shelf.unloadAll()
    shelf.resume()
    const loaded = Promise.withResolvers<void>()
    engine.beforeOpen = () => loaded.promise
    watches.clear()
    const run = shelf.run(digest, async () => 'never').catch((error: unknown) => error)
    await waitFor(() => watches.has('test/a'), 'loading')
    watches.get('test/a')?.onStuck(true)
    expect(await run).toMatchObject({ code: 'CUCKOO_INFERENCE_STUCK' })
    // Nobody waits for it.
    await shelf.unloadAll()
    const { usedBytes } = shelf.getState().memory
    expect([usedBytes > 0, shelf.getState().models[0]?.state]).toEqual([true, 'unloaded'])
    watches.get('test/a')?.onStuck(false)
    await new Promise(setImmediate)
    expect(shelf.getState().memory.usedBytes).toBe(usedBytes)
    if (end === 'loads') loaded.resolve()
    else loaded.reject(new Error('no driver'))
    await waitFor(() => shelf.getState().memory.usedBytes === 0, 'its place given back')
    expect(engine.open).toEqual([])
    shelf.resume()
    engine.beforeOpen = async () => undefined
    expect(await shelf.run(digest, async () => 'runs')).toBe('runs')
  }
})

it('a miner with such a run works on with its other models; told to stop, it ends with the coded error, and that task alone is a crash', {
  timeout: 30_000,
}, async () => {
  const coordinator = await createCoordinator()
  const { engine, watches } = createStickyEngine()
  const store = createFakeMinerStore()
  const rig = await createMiner([toRecord(coordinator)], {
    engine,
    store,
    config: { models: toModels('test/counter', 'test/other') },
    timing: { letGoMs: 300 },
  })
  coordinator.queue(toTask('before', 'test/counter', 1))
  await coordinator.waitForCalls('submitResult', 1)
  const poison = coordinator.queue(toTask('poison', 'test/counter', 666))
  await rig.waitForEvent('taskStarted', ({ task }) => task.taskId === poison.assignment.taskId)
  coordinator.cancelled.add(poison.assignment.taskId)
  await rig.waitForEvent('taskFailed')
  watches.get('test/counter')?.onStuck(true)
  expect(await rig.waitForEvent('modelWithheld')).toMatchObject({ model: 'test/counter', retryAtMs: null, error: { code: 'CUCKOO_INFERENCE_STUCK' } })
  await coordinator.waitForCalls('openSession', 2)
  expect(coordinator.calls.openSession[1]?.body.models.map(({ manifest }) => manifest.model)).toEqual(['test/other'])
  coordinator.queue(toTask('other', 'test/other', 2))
  await coordinator.waitForCalls('submitResult', 2)
  await rig.miner.drain({ graceMs: 5_000 })
  await expect(rig.miner.done).rejects.toMatchObject({
    code: 'CUCKOO_MINER_STUCK',
    kind: 'unavailable',
    message: expect.stringContaining('test/counter'),
  })
  expect((await store.takeCrashes(0)).map(({ taskId }) => taskId)).toEqual([poison.assignment.taskId])
})

it('nor does a miner wait for ever for a run that is ended only because it stops, or for a model that loads', { timeout: 30_000 }, async () => {
  const coordinator = await createCoordinator()
  const { engine } = createStickyEngine()
  const rig = await createMiner([toRecord(coordinator)], { engine, config: { models: toModels('test/counter', 'test/other') }, timing: { letGoMs: 300 } })
  rig.miner.pause({ reason: 'so that models are unloaded' })
  await waitFor(() => engine.openModels === 0, 'both unloaded')
  rig.miner.resume()
  engine.beforeOpen = (model) => (model === 'test/other' ? never : Promise.resolve())
  const poison = coordinator.queue(toTask('poison', 'test/counter', 666))
  coordinator.queue(toTask('loading', 'test/other', 1))
  await waitFor(() => rig.miner.state().models.every(({ running }) => running === 1), 'both tasks')
  await waitFor(() => engine.open.includes('test/counter'), 'the model that runs')
  await rig.miner.drain({ graceMs: 100 })
  await expect(rig.miner.done).rejects.toMatchObject({ code: 'CUCKOO_MINER_STUCK', facts: { models: 'test/counter, test/other' } })
  expect((await rig.store.takeCrashes(0)).map(({ taskId }) => taskId)).toEqual([poison.assignment.taskId])
})
