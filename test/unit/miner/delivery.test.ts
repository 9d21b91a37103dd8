import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { leaseLost, resultInvalid } from '../../../src/errors/api.ts'
import { decodeSubmission } from '../../../src/miner/deliverResult.ts'
import { createTestTask, waitFor } from '../../support/minerCoordinator.ts'
import { createFakeEngine, createFakeMinerStore } from '../../support/minerFakes.ts'
import { coordinatorParty, createCoordinator, createMiner, endRigsAfterEach, holdTexts, minerNode, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()

describe('a signed result', () => {
  it('is in the journal before it leaves', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    let journaled = -1
    coordinator.before.submitResult = () => {
      journaled = rig.store.entries.size
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'journal'))
    await rig.waitForEvent('taskDone')
    expect(journaled).toBe(1)
  })

  it('does not leave when it cannot be journaled: the task is given back', async () => {
    const store = createFakeMinerStore()
    store.journalResult = () => Promise.reject(new Error('disk full'))
    const coordinator = await createCoordinator()
    await createMiner([toRecord(coordinator)], { store })
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'disk full'))
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.submitResult).toEqual([])
  })

  it('leaves before the next task is asked for, which does not wait until it has arrived', async () => {
    const engine = createFakeEngine()
    const { script } = engine
    engine.script = async (run) => {
      await delay(100)
      return script(run)
    }
    const store = createFakeMinerStore()
    const [journaling, journaled, arrived] = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const journal = store.journalResult
    store.journalResult = async (entry) => {
      journaling.resolve()
      await journaled.promise
      return journal(entry)
    }
    const coordinator = await createCoordinator()
    coordinator.before.submitResult = () => arrived.promise
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'order'))
    await createMiner([toRecord(coordinator)], { engine, store, config: { slots: 1 } })
    await journaling.promise
    await delay(100)
    expect(coordinator.calls.pollTask).toHaveLength(1)
    journaled.resolve()
    await coordinator.waitForCalls('pollTask', 2)
    await coordinator.waitForCalls('submitResult', 1)
    arrived.resolve()
  })

  it('is sent again with the same bytes when the connection breaks, and journaled once', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const broken = Promise.withResolvers<void>()
    let tries = 0
    coordinator.before.submitResult = async () => {
      if (++tries > 1) return
      broken.resolve()
      await delay(5_000, undefined, { ref: false })
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'broken'))
    await broken.promise
    await coordinator.kill()
    await delay(50)
    await coordinator.restart()
    await rig.waitForEvent('taskDone')
    const [first, second] = coordinator.calls.submitResult
    expect(coordinator.calls.submitResult).toHaveLength(2)
    expect(second?.body).toEqual(first?.body)
    expect([...rig.store.entries.values()].map((entry) => decodeSubmission(entry.body))).toEqual([first?.body])
    expect(rig.engine.runs).toHaveLength(1)
    expect(await rig.store.countResults()).toEqual({ signed: 1, delivered: 1 })
    expect(coordinator.calls.openSession).toHaveLength(2)
  })

  it('that an earlier run could not deliver arrives after the restart, as it was', async () => {
    const store = createFakeMinerStore()
    const coordinator = await createCoordinator()
    const first = await createMiner([toRecord(coordinator)], { store })
    coordinator.before.submitResult = () => {
      throw new Error('the coordinator stumbles')
    }
    const task = coordinator.queue(createTestTask(coordinatorParty, minerNode, 'owed'))
    await coordinator.waitForCalls('submitResult', 2)
    await first.miner.stop()
    expect(await store.countResults()).toEqual({ signed: 1, delivered: 0 })
    expect(coordinator.calls.failTask).toEqual([])
    const sent = coordinator.calls.submitResult[0]?.body
    coordinator.calls.submitResult.length = 0
    delete coordinator.before.submitResult
    const second = await createMiner([toRecord(coordinator)], { store })
    expect(await second.waitForEvent('resultSettled')).toMatchObject({ taskId: task.assignment.taskId, attempt: 1, error: null })
    expect(coordinator.calls.submitResult.map(({ body }) => body)).toEqual([sent])
    expect(await store.countResults()).toEqual({ signed: 1, delivered: 1 })
    expect(second.engine.runs).toEqual([])
  })

  it.each([
    ['its lease is lost', leaseLost],
    ['it breaks the protocol', ({ taskId }: { taskId: string }) => resultInvalid({ taskId, problem: 'the test says so' })],
  ])('is never sent again when %s', async (_, toError) => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    coordinator.before.submitResult = ({ params }) => {
      throw toError(params)
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'refused'))
    const failed = await rig.waitForEvent('taskFailed')
    expect(failed.error.code).toBe(toError({ taskId: '', attempt: 1 }).code)
    await delay(60)
    expect(coordinator.calls.submitResult).toHaveLength(1)
    expect(coordinator.calls.failTask).toEqual([])
    expect(await rig.store.listUndelivered(coordinator.node)).toEqual([])
  })

  it('is the one of the journal when the assignment was answered before, and no model runs for it', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const task = createTestTask(coordinatorParty, minerNode, 'twice')
    coordinator.queue(task)
    const { priceWei } = await rig.waitForEvent('taskDone')
    coordinator.queue(task)
    expect(await rig.waitForEvent('resultSettled')).toMatchObject({ taskId: task.assignment.taskId, attempt: 1, error: null })
    expect(coordinator.calls.submitResult).toHaveLength(2)
    expect(coordinator.calls.submitResult[1]?.body).toEqual(coordinator.calls.submitResult[0]?.body)
    expect(rig.engine.runs).toHaveLength(1)
    expect(rig.store.entries.size).toBe(1)
    expect(rig.miner.state().coordinators[0]).toMatchObject({ tasksDone: 1, tasksFailed: 0, earnedWei: priceWei, paymentFactor: 1 })
    coordinator.before.submitResult = ({ params }) => {
      throw leaseLost(params)
    }
    for (let times = 0; times < 3; times++) coordinator.queue(task)
    await waitFor(() => rig.events.filter(({ type }) => type === 'resultSettled').length === 4, 'three refusals')
    expect(rig.engine.runs).toHaveLength(1)
    expect(rig.miner.state().coordinators[0]?.paymentFactor).toBe(1)
  })

  it('of an assignment that comes again and again is asked for less and less often', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)], { config: { slots: 1 }, timing: { backoff: { baseMs: 80, maxMs: 800 } } })
    const task = createTestTask(coordinatorParty, minerNode, 'again and again')
    for (let times = 0; times < 20; times++) coordinator.queue(task)
    await coordinator.waitForCalls('submitResult', 5)
    const [, second, , , fifth] = coordinator.calls.submitResult
    // Two pauses of 40 ms at least: before the fourth poll and the fifth.
    expect((fifth?.atMs as number) - (second?.atMs as number)).toBeGreaterThan(75)
    expect(rig.engine.runs).toHaveLength(1)
  })

  it('waits as long as Retry-After says', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const { rateLimited } = await import('../../../src/errors/api.ts')
    coordinator.before.submitResult = () => {
      if (coordinator.calls.submitResult.length === 1) throw rateLimited({ retryAfterSeconds: 1 })
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'slowly'))
    await rig.waitForEvent('taskDone')
    const [first, second] = coordinator.calls.submitResult
    expect((second?.atMs as number) - (first?.atMs as number)).toBeGreaterThan(990)
  })
})

describe('the end', () => {
  it('by drain lets running tasks finish, arrive, and says goodbye', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const release = holdTexts(rig)
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'last'))
    await rig.waitForEvent('taskStarted')
    const drained = rig.miner.drain({ graceMs: 5_000 })
    await waitFor(() => rig.miner.state().coordinators[0]?.session === 'draining', 'draining')
    // A poll that was on its way when the drain began still arrives.
    await delay(100)
    const polls = coordinator.calls.pollTask.length
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'too late'))
    await delay(60)
    expect(coordinator.calls.pollTask).toHaveLength(polls)
    release()
    await drained
    await rig.miner.done
    expect(coordinator.calls.submitResult).toHaveLength(1)
    expect(coordinator.calls.closeSession).toHaveLength(1)
    expect(coordinator.calls.failTask).toEqual([])
    expect(rig.engine.openModels).toBe(0)
    expect(rig.chain.openWatches).toBe(0)
    expect(rig.events.map(({ type }) => type).slice(-3)).toEqual(['taskDone', 'sessionClosed', 'stopped'])
    expect(rig.miner.state().phase).toBe('stopped')
  })

  it.each(['a drain whose time is up', 'a stop', 'a stop during a drain'])(
    'by %s ends the session at once, which gives its tasks to others without blame',
    async (way) => {
      const coordinator = await createCoordinator()
      const rig = await createMiner([toRecord(coordinator)])
      rig.engine.script = ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      const task = coordinator.queue(createTestTask(coordinatorParty, minerNode, 'running'))
      await rig.waitForEvent('taskStarted')
      const startedAt = performance.now()
      if (way === 'a drain whose time is up') await rig.miner.drain({ graceMs: 50 })
      else if (way === 'a stop') await rig.miner.stop()
      else await Promise.all([rig.miner.drain({ graceMs: 60_000 }), delay(20).then(() => rig.miner.stop())])
      await rig.miner.done
      expect(performance.now() - startedAt).toBeLessThan(3_000)
      expect(coordinator.calls.failTask).toEqual([])
      expect(await rig.waitForEvent('taskFailed')).toMatchObject({ task: { taskId: task.assignment.taskId }, error: { code: 'CUCKOO_MINER_STOPPED' } })
      expect(coordinator.calls.closeSession).toHaveLength(1)
      expect(rig.engine.openModels).toBe(0)
    },
  )

  it('comes even when the coordinator is gone and the model does not let go', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)], { timing: { farewellMs: 60 } })
    rig.engine.script = () => new Promise(() => undefined)
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'stuck'))
    await rig.waitForEvent('taskStarted')
    await coordinator.kill()
    const startedAt = performance.now()
    await rig.miner.stop()
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    expect(rig.engine.openModels).toBe(0)
  })

  it('does not wait for a model that does not let go to say goodbye', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    rig.engine.script = () => new Promise(() => undefined)
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'stuck'))
    await rig.waitForEvent('taskStarted')
    const stopped = rig.miner.stop()
    await coordinator.waitForCalls('closeSession', 1)
    await stopped
  })
})
