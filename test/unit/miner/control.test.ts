import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type OfferedModel, toMemoryBytes } from '../../../src/miner/modelShelf.ts'
import { createTestTask, waitFor } from '../../support/minerCoordinator.ts'
import { createManifest } from '../../support/minerFakes.ts'
import { coordinatorParty, createCoordinator, createMiner, endRigsAfterEach, holdTexts, minerNode, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()

const toTask = (name: string) => createTestTask(coordinatorParty, minerNode, name)
const toOffer = (model: string): OfferedModel => ({ model, source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' })

describe('pause', () => {
  it('takes no more tasks, lets running ones end, and then frees the memory', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)], { config: { pinned: ['test/counter'] } })
    const release = holdTexts(rig)
    coordinator.queue(toTask('running'))
    await rig.waitForEvent('taskStarted')
    rig.miner.pause({ reason: 'the machine is needed' })
    expect(rig.miner.state()).toMatchObject({ phase: 'paused', pauseReason: 'the machine is needed' })
    expect(await rig.waitForEvent('minerPaused')).toMatchObject({ reason: 'the machine is needed', tasks: 1 })
    await delay(40)
    expect(rig.engine.open).toEqual(['test/counter'])
    release()
    await rig.waitForEvent('taskDone')
    await waitFor(() => rig.engine.open.length === 0, 'the model to leave the memory')
    await coordinator.waitForCalls('closeSession', 1)
    expect(rig.miner.state()).toMatchObject({
      models: [{ state: 'unloaded', pinned: true }],
      memory: { usedBytes: 0 },
      coordinators: [{ slots: 0, session: 'standby' }],
    })
    expect((await rig.metrics.modelMemoryBytes.get()).values).toMatchObject([{ value: 0 }])
    const polls = coordinator.calls.pollTask.length
    coordinator.queue(toTask('while it rests'))
    await delay(40)
    expect(coordinator.calls.pollTask).toHaveLength(polls)
  })

  it('ends an open poll at once', async () => {
    const coordinator = await createCoordinator({ pollMs: 60_000 })
    const rig = await createMiner([toRecord(coordinator)], { timing: { pollWaitMs: 60_000 } })
    await coordinator.waitForCalls('pollTask', 1)
    rig.miner.pause({ reason: 'test' })
    await coordinator.waitForCalls('closeSession', 1)
    expect(rig.engine.open).toEqual([])
  })

  it('is over after resume: the next task loads its model', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    rig.miner.pause({ reason: 'test' })
    rig.miner.pause({ reason: 'again' })
    await waitFor(() => rig.engine.open.length === 0, 'the model to leave the memory')
    expect(rig.miner.state().pauseReason).toBe('again')
    rig.miner.resume()
    rig.miner.resume()
    coordinator.queue(toTask('after'))
    await rig.waitForEvent('taskDone')
    expect(rig.engine.open).toEqual(['test/counter'])
    expect(rig.miner.state()).toMatchObject({ phase: 'running', pauseReason: null, models: [{ state: 'loaded' }] })
    expect(rig.events.filter(({ type }) => type === 'minerResumed' || type === 'minerPaused')).toHaveLength(2)
  })

  it('that is taken back before the last task ended frees nothing', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const release = holdTexts(rig)
    coordinator.queue(toTask('running'))
    await rig.waitForEvent('taskStarted')
    rig.miner.pause({ reason: 'test' })
    rig.miner.resume()
    release()
    await rig.waitForEvent('taskDone')
    coordinator.queue(toTask('the next'))
    await coordinator.waitForCalls('submitResult', 2)
    expect(rig.engine.opened).toEqual(['test/counter'])
  })

  it('does not hold up a drain, after which nothing is in memory', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    rig.miner.pause({ reason: 'test' })
    await rig.miner.drain({ graceMs: 1_000 })
    await rig.miner.done
    rig.miner.resume()
    expect(rig.miner.state().phase).toBe('stopped')
    expect(rig.engine.open).toEqual([])
  })
})

describe('several models in less memory than they need together', () => {
  it('are all offered, each is loaded as a task needs it, and its lease is kept meanwhile', async () => {
    const coordinator = await createCoordinator()
    const models = ['test/a-1000', 'test/b-1000']
    const memoryBytes = toMemoryBytes(createManifest('test/a-1000', 'text', 1000))
    const rig = await createMiner([toRecord(coordinator)], { config: { models: models.map(toOffer), memoryBytes } })
    await rig.waitForEvent('sessionOpened')
    expect(coordinator.calls.openSession[0]?.body.models.map(({ manifest }) => manifest.model)).toEqual(models)
    expect(rig.engine.open).toEqual(['test/b-1000'])
    const loading = Promise.withResolvers<void>()
    rig.engine.beforeOpen = () => loading.promise
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'for a', { manifest: createManifest('test/a-1000', 'text', 1000), leaseMs: 60 }))
    await coordinator.waitForCalls('renewLease', 2)
    expect(rig.miner.state().models).toMatchObject([
      { model: 'test/a-1000', state: 'loading', running: 1 },
      { model: 'test/b-1000', state: 'unloaded' },
    ])
    loading.resolve()
    await rig.waitForEvent('taskDone')
    expect(rig.engine.open).toEqual(['test/a-1000'])
    expect(rig.events.filter(({ type }) => type === 'modelUnloaded')).toMatchObject([
      { model: 'test/a-1000', reason: 'memory' },
      { model: 'test/b-1000', reason: 'memory' },
    ])
    expect((await rig.metrics.modelsUnloaded.get()).values).toMatchObject([{ value: 2, labels: { reason: 'memory' } }])
  })

  it('that pins one which is not offered does not start', async () => {
    await expect(createMiner([], { config: { pinned: ['test/other'] } })).rejects.toMatchObject({ code: 'CUCKOO_MINER_PIN_UNKNOWN', kind: 'usage' })
  })
})

describe('slots of a device', () => {
  it('leave no slot to ask for when they are taken', async () => {
    const coordinator = await createCoordinator({ pollMs: 20 })
    const rig = await createMiner([toRecord(coordinator)], { config: { models: [toOffer('test/gpu-1')], slots: 3, slotsByDevice: { webgpu: 1 } } })
    await coordinator.waitForCalls('pollTask', 1)
    expect(coordinator.calls.pollTask[0]?.body.free).toBe(1)
    const release = holdTexts(rig)
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'on the gpu', { manifest: createManifest('test/gpu-1') }))
    await waitFor(() => rig.miner.state().devices[0]?.running === 1, 'the task to run')
    expect(rig.miner.state().devices).toEqual([{ device: 'webgpu', running: 1, waiting: 0, slots: 1 }])
    const polls = coordinator.calls.pollTask.length
    await delay(60)
    expect(coordinator.calls.pollTask).toHaveLength(polls)
    release()
    await coordinator.waitForCalls('pollTask', polls + 1)
  })
})

describe('the event loop', () => {
  it('is measured while tasks run: a loop that stands still shows', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    expect(rig.miner.state().eventLoopLag).toEqual({ p50Ms: 0, p99Ms: 0, maxMs: 0 })
    rig.engine.script = async () => {
      await delay(20)
      const untilMs = performance.now() + 300
      while (performance.now() < untilMs);
      await delay(20)
      return { tokenIds: [1], finishReason: 'stop' }
    }
    coordinator.queue(toTask('busy'))
    await rig.waitForEvent('taskDone')
    const { maxMs } = rig.miner.state().eventLoopLag
    expect(maxMs).toBeGreaterThan(240)
    const { values } = await rig.metrics.eventLoopLag.get()
    expect(values.find(({ labels }) => labels.statistic === 'max')?.value).toBeCloseTo(maxMs / 1000, 3)
    expect(await rig.metrics.registry.metrics()).toContain('cuckoo_miner_event_loop_lag_seconds{statistic="p99"}')
  })
})

describe('state', () => {
  it('counts by kind, and keeps the newest error', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    coordinator.queue(toTask('good'))
    coordinator.queue(toTask('good too'))
    await coordinator.waitForCalls('submitResult', 2)
    await waitFor(() => rig.events.filter(({ type }) => type === 'taskDone').length === 2, 'two tasks')
    rig.engine.script = () => Promise.reject(new Error('a fault'))
    coordinator.queue(toTask('bad'))
    await rig.waitForEvent('taskFailed')
    const { kinds, lastError, uptimeMs } = rig.miner.state()
    expect(kinds).toEqual([
      { kind: 'completion', tasksDone: 2, tasksFailed: 1, units: 10n, unitsPerSecond: 2500, earnedWei: 10_000n, inferenceMs: { p50: 2, p95: 2 } },
    ])
    expect(lastError?.error.code).toBe('CUCKOO_INTERNAL')
    expect(uptimeMs).toBeGreaterThan(0)
  })
})
