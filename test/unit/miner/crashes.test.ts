import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Hash } from '../../../src/domain/hex.ts'
import type { TaskContent } from '../../../src/domain/task.ts'
import { leaseLost } from '../../../src/errors/api.ts'
import { inferenceOutOfMemory, inferenceWorkerEnded } from '../../../src/errors/inference.ts'
import { CrashBook } from '../../../src/miner/crashBook.ts'
import { createMinerEvents } from '../../../src/miner/minerEvents.ts'
import { createTestTask, type TestCoordinator, waitFor } from '../../support/minerCoordinator.ts'
import { createFakeMinerStore } from '../../support/minerFakes.ts'
import { coordinatorParty, coordinatorSigner, createCoordinator, createMiner, endRigsAfterEach, minerNode, toRecord } from '../../support/minerRig.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})
endRigsAfterEach()

const toContent = (...tokenIds: number[]): TaskContent => ({
  kind: 'completion',
  input: { tokenIds },
  params: { maxTokens: 5, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' },
})
const toTask = (name: string, content: TaskContent, attempt = 1) => createTestTask(coordinatorParty, minerNode, name, { content, change: { attempt } })
const crashedCode = 'CUCKOO_MINER_TASK_CRASHED'

interface MinerProcess extends ChildProcess {
  events: { type: string; [key: string]: unknown }[]
}

/** A miner process with its store in `directory`; see test/support/crashingMiner.ts. */
async function startMinerProcess(directory: string, coordinator: TestCoordinator): Promise<MinerProcess> {
  const script = new URL('../../support/crashingMiner.ts', import.meta.url).pathname
  const args = ['--disable-warning=ExperimentalWarning', script, directory, coordinator.url, coordinator.node, coordinatorSigner.address]
  // Where a core file may be written, it goes with the directory.
  const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] })
  const events: MinerProcess['events'] = []
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    events.push(...lines.map((line) => JSON.parse(line)))
  })
  cleanUps.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  await waitFor(() => events.some(({ type }) => type === 'sessionOpened') || child.exitCode !== null, 'a session of the child', 30_000)
  return Object.assign(child, { events })
}

describe('fault 28: a payload that crashes the runtime', () => {
  it('is reported after the restart and refused, by its number and by its input; all else goes on', { timeout: 90_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cuckoo-crash-'))
    cleanUps.push(() => rmSync(directory, { recursive: true, force: true }))
    const coordinator = await createCoordinator({ silenceMs: 400 })
    const first = await startMinerProcess(directory, coordinator)
    coordinator.queue(toTask('harmless', toContent(1)))
    await coordinator.waitForCalls('submitResult', 1)
    const poison = coordinator.queue(toTask('poison', toContent(666)))
    const [, signal] = await once(first, 'exit')
    expect(signal).toBe('SIGABRT')
    expect(coordinator.calls.failTask).toEqual([])

    const second = await startMinerProcess(directory, coordinator)
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]).toMatchObject({
      params: { taskId: poison.assignment.taskId, attempt: 1 },
      body: { code: crashedCode, fatal: false },
    })
    expect(second.events.filter(({ type }) => type === 'taskCrashed')).toMatchObject([{ taskId: poison.assignment.taskId, model: 'test/counter' }])
    coordinator.queue(toTask('poison', toContent(7), 2))
    await coordinator.waitForCalls('failTask', 2)
    coordinator.queue(toTask('the same poison for another app', toContent(666)))
    await coordinator.waitForCalls('failTask', 3)
    expect(coordinator.calls.failTask.map(({ body }) => body.code)).toEqual([crashedCode, crashedCode, crashedCode])
    coordinator.queue(toTask('harmless too', toContent(2)))
    await coordinator.waitForCalls('submitResult', 2)
    second.kill('SIGTERM')
    expect(await once(second, 'exit')).toEqual([0, null])
  })

  it('that ends the worker only is refused at once; the model is opened again for the next one', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const count = rig.engine.script
    rig.engine.script = async (run) => {
      if (run.input.tokenIds.includes(666)) throw inferenceWorkerEnded({ worker: 'model test/counter', reason: 'poison' })
      return count(run)
    }
    const poison = coordinator.queue(toTask('poison', toContent(666)))
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body).toMatchObject({ code: crashedCode, fatal: false })
    const crash = { taskId: poison.assignment.taskId, attempt: 1, model: 'test/counter', coordinator: coordinator.node }
    expect(await rig.waitForEvent('taskCrashed')).toMatchObject({ taskId: crash.taskId, node: coordinator.node })
    expect(rig.miner.state().crashedTasks).toMatchObject([crash])
    coordinator.queue(toTask('again', toContent(666)))
    await coordinator.waitForCalls('failTask', 2)
    coordinator.queue(toTask('the next one', toContent(1)))
    await rig.waitForEvent('taskDone')
    expect(rig.engine.runs).toHaveLength(2)
    expect(rig.engine.opened).toEqual(['test/counter', 'test/counter'])
    expect(rig.engine.openModels).toBe(1)
    expect((await rig.metrics.tasksCrashed.get()).values).toMatchObject([{ value: 1 }])
  })

  it('is what a task is marked for on disk while a model has it, and not a moment longer', async () => {
    const coordinator = await createCoordinator()
    const store = createFakeMinerStore()
    const marks: string[] = []
    const { markStarted, clearStarted, journalResult } = store
    store.markStarted = async (task) => {
      await markStarted(task)
      marks.push(`started ${rig.engine.runs.length}`)
    }
    store.clearStarted = async (digest) => {
      marks.push('cleared')
      await clearStarted(digest)
    }
    store.journalResult = async (entry, media) => {
      marks.push(`journaled ${rig.engine.runs.length}`)
      return journalResult(entry, media)
    }
    const rig = await createMiner([toRecord(coordinator)], { store })
    coordinator.queue(toTask('good', toContent(1)))
    await rig.waitForEvent('taskDone')
    expect(marks).toEqual(['started 0', 'journaled 1'])
    rig.engine.script = () => Promise.reject(new Error('nothing that ends a worker'))
    coordinator.queue(toTask('bad', toContent(1)))
    await rig.waitForEvent('taskFailed')
    expect(marks.slice(2)).toEqual(['started 1', 'cleared'])
    await store.markCrashed(Date.now())
    expect(await store.takeCrashes(0)).toEqual([])
  })

  it('is not what a task is whose result cannot be kept: the disk is full, and the process may end as it likes', async () => {
    const coordinator = await createCoordinator()
    const store = createFakeMinerStore()
    store.journalResult = () => Promise.reject(new Error('disk full'))
    const rig = await createMiner([toRecord(coordinator)], { store })
    coordinator.queue(toTask('innocent', toContent(1)))
    await rig.waitForEvent('taskFailed')
    expect(rig.engine.runs).toHaveLength(1)
    await store.markCrashed(Date.now())
    expect(await store.takeCrashes(0)).toEqual([])
  })

  it('is no longer refused after a day', async () => {
    let nowMs = 1_800_000_000_000
    const [one, two, three] = ['1', '2', '3'].map((digit) => `0x${digit.repeat(64)}` as const) as [Hash, Hash, Hash]
    const book = await CrashBook.open(
      createFakeMinerStore(),
      { nowMs: () => nowMs },
      createMinerEvents(() => undefined),
    )
    const task = { assignmentDigest: one, taskId: one, attempt: 1, coordinator: minerNode, model: 'test/counter', manifest: two, inputHash: three }
    await book.begin(task)
    expect(book.find(task)).toBeUndefined()
    await book.addCrash(one)
    nowMs += 86_400_000
    expect(book.find({ ...task, taskId: two })).toMatchObject({ taskId: one })
    expect(book.find({ ...task, manifest: one, inputHash: one })).toMatchObject({ taskId: one })
    expect(book.find({ taskId: two, manifest: one, inputHash: three })).toBeUndefined()
    nowMs += 1
    expect(book.find(task)).toBeUndefined()
  })

  it('is not what a model is that does not let go when the miner stops', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)], { timing: { farewellMs: 50 } })
    rig.engine.script = () => new Promise(() => undefined)
    coordinator.queue(toTask('stuck', toContent(1)))
    await rig.waitForEvent('taskStarted')
    await rig.miner.stop()
    await rig.store.markCrashed(Date.now())
    expect(await rig.store.takeCrashes(0)).toEqual([])
  })

  it('is not what a task is that runs when the miner is told to stop: its process may be ended before it has drained', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const release = Promise.withResolvers<void>()
    const taken: number[] = []
    rig.engine.script = async ({ input }) => {
      taken.push(...input.tokenIds)
      await release.promise
      return { tokenIds: [1], finishReason: 'stop' }
    }
    const findMarked = async () => {
      // As the next start would find it; a mark of a task that ran is a crash from then on.
      await rig.store.markCrashed(Date.now())
      return (await rig.store.takeCrashes(0)).map(({ taskId }) => taskId)
    }
    coordinator.queue(toTask('first', toContent(1)))
    await waitFor(() => taken.length === 1, 'the first task in its model')
    const drained = rig.miner.drain({ graceMs: 5_000 })
    await new Promise(setImmediate)
    expect(await findMarked()).toEqual([])
    release.resolve()
    await drained
    expect(coordinator.calls.submitResult).toHaveLength(1)
  })

  it('is not what a task is that a model was given after that', async () => {
    const store = createFakeMinerStore()
    const book = await CrashBook.open(
      store,
      { nowMs: () => 1 },
      createMinerEvents(() => undefined),
    )
    const digest = `0x${'ab'.repeat(32)}` as const
    await book.close()
    await book.begin({ assignmentDigest: digest, taskId: digest, attempt: 1, coordinator: minerNode, model: 'a/b', manifest: digest, inputHash: digest })
    await store.markCrashed(2)
    expect(await store.takeCrashes(0)).toEqual([])
  })

  it('is told once, and that the lease is gone is as good as told', async () => {
    const coordinator = await createCoordinator()
    const store = createFakeMinerStore()
    const digest = `0x${'ab'.repeat(32)}` as const
    const task = {
      assignmentDigest: digest,
      taskId: digest,
      attempt: 1,
      coordinator: coordinator.node,
      model: 'test/counter',
      manifest: digest,
      inputHash: digest,
    }
    await store.markStarted(task)
    coordinator.before.failTask = ({ params }) => {
      throw leaseLost(params)
    }
    const rig = await createMiner([toRecord(coordinator)], { store })
    await waitFor(() => rig.miner.state().crashedTasks[0]?.reported === true, 'the report')
    await rig.miner.stop()
    const again = await createMiner([toRecord(coordinator)], { store })
    await again.waitForEvent('sessionOpened')
    coordinator.queue(toTask('harmless', toContent(1)))
    await again.waitForEvent('taskDone')
    expect(coordinator.calls.failTask).toHaveLength(1)
    expect(again.events.filter(({ type }) => type === 'taskCrashed')).toEqual([])
    expect(again.miner.state().crashedTasks).toHaveLength(1)
  })
})

describe('fault 30: a device out of memory', () => {
  it('is tried once more with nothing sent twice to an app that reads along, and fails with the coded error if it must; the miner lives on', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const outOfMemory = inferenceOutOfMemory({ model: 'test/counter', device: 'cpu', reason: 'no more' })
    let tries = 0
    rig.engine.script = async ({ onTokens }) => {
      onTokens([1, 2])
      await delay(60)
      if (++tries === 1) throw outOfMemory
      onTokens([3])
      await delay(60)
      return { tokenIds: [1, 2, 3], finishReason: 'stop' }
    }
    coordinator.queue({ ...toTask('large', toContent(1)), stream: true })
    await rig.waitForEvent('taskDone')
    const sent = coordinator.calls.pushTokens.flatMap(({ body }) => body.tokenIds)
    expect(sent).toEqual([1, 2, 3])
    expect(rig.events.find(({ type }) => type === 'taskDone')).toMatchObject({ units: 3n })
    expect(rig.events.filter(({ type }) => type === 'modelUnloaded')).toMatchObject([{ reason: 'outOfMemory' }])
    rig.engine.script = () => Promise.reject(outOfMemory)
    coordinator.queue(toTask('too large', toContent(1)))
    await rig.waitForEvent('taskFailed')
    expect(coordinator.calls.failTask[0]?.body).toMatchObject({ code: 'CUCKOO_INFERENCE_OUT_OF_MEMORY', fatal: false })
    expect(rig.miner.state()).toMatchObject({ phase: 'running', lastError: { error: { code: 'CUCKOO_INFERENCE_OUT_OF_MEMORY' } } })
    rig.engine.script = async () => ({ tokenIds: [1], finishReason: 'stop' })
    coordinator.queue(toTask('small', toContent(1)))
    await coordinator.waitForCalls('submitResult', 2)
  })
})
