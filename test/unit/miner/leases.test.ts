import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { leaseLost } from '../../../src/errors/api.ts'
import { createTestTask } from '../../support/minerCoordinator.ts'
import type { TextScript } from '../../support/minerFakes.ts'
import { coordinatorParty, createCoordinator, createMiner, endRigsAfterEach, minerNode, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()

/** Runs until it is told to end, and says how that came. */
function createEndlessScript(): { script: TextScript; ended: Promise<unknown> } {
  const ended = Promise.withResolvers<unknown>()
  return {
    ended: ended.promise,
    script: async ({ signal, onTokens }) => {
      while (!signal.aborted) {
        onTokens([7])
        await delay(3)
      }
      ended.resolve(signal.reason)
      throw signal.reason
    },
  }
}

describe('the lease', () => {
  it('is renewed every third of it, with the units done so far', async () => {
    const coordinator = await createCoordinator({ leaseMs: 300, heartbeatMs: 10_000 })
    const rig = await createMiner([toRecord(coordinator)])
    rig.engine.script = async ({ onTokens }) => {
      onTokens([1, 2, 3])
      await coordinator.waitForCalls('renewLease', 3)
      return { tokenIds: [1, 2, 3], finishReason: 'stop' }
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'slow', { leaseMs: 300 }))
    await coordinator.waitForCalls('submitResult', 1)
    const beats = [...coordinator.calls.renewLease]
    const [first, , third] = beats
    expect((third?.atMs as number) - (first?.atMs as number)).toBeGreaterThan(190)
    expect((third?.atMs as number) - (first?.atMs as number)).toBeLessThan(2_000)
    expect(first?.body.unitsDone).toBe(3)
    await delay(150)
    expect(coordinator.calls.renewLease.length).toBe(beats.length)
  })

  it('is renewed at the coordinator’s heartbeat when that is sooner', async () => {
    const coordinator = await createCoordinator({ leaseMs: 60_000, heartbeatMs: 20 })
    const rig = await createMiner([toRecord(coordinator)])
    rig.engine.script = async () => {
      await coordinator.waitForCalls('renewLease', 3)
      return { tokenIds: [1], finishReason: 'stop' }
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'long lease', { leaseMs: 60_000 }))
    await rig.waitForEvent('taskDone')
  })

  it('once lost ends the run, with nothing signed and nothing more to say', async () => {
    const coordinator = await createCoordinator({ leaseMs: 60 })
    const rig = await createMiner([toRecord(coordinator)])
    const { script, ended } = createEndlessScript()
    rig.engine.script = script
    coordinator.before.renewLease = ({ params }) => {
      throw leaseLost(params)
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'lost', { leaseMs: 60 }))
    expect(await ended).toMatchObject({ code: 'CUCKOO_TASK_LEASE_LOST' })
    expect(await rig.waitForEvent('taskFailed')).toMatchObject({ error: { code: 'CUCKOO_TASK_LEASE_LOST' } })
    expect(coordinator.calls.failTask).toEqual([])
    expect(rig.store.entries.size).toBe(0)
  })

  it('outlives a coordinator that does not answer for a while', async () => {
    const coordinator = await createCoordinator({ leaseMs: 60 })
    const rig = await createMiner([toRecord(coordinator)])
    rig.engine.script = async () => {
      await coordinator.waitForCalls('renewLease', 4)
      return { tokenIds: [1], finishReason: 'stop' }
    }
    coordinator.before.renewLease = () => {
      if (coordinator.calls.renewLease.length < 3) throw new Error('the coordinator stumbles')
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'patient', { leaseMs: 60 }))
    await rig.waitForEvent('taskDone')
  })
})

describe('a task that nobody wants any more', () => {
  it.each(['renewLease', 'pushTokens'] as const)('ends when %s says so', async (route) => {
    const coordinator = await createCoordinator({ leaseMs: route === 'renewLease' ? 60 : 60_000, heartbeatMs: 60_000 })
    const rig = await createMiner([toRecord(coordinator)])
    const { script, ended } = createEndlessScript()
    rig.engine.script = script
    const stream = route === 'pushTokens'
    const task = coordinator.queue(createTestTask(coordinatorParty, minerNode, 'cancelled', { leaseMs: stream ? 60_000 : 60, stream }))
    await rig.waitForEvent('taskStarted')
    coordinator.cancelled.add(task.assignment.taskId)
    expect(await ended).toMatchObject({ code: 'CUCKOO_MINER_TASK_UNWANTED' })
    await rig.waitForEvent('taskFailed')
    expect(coordinator.calls.failTask).toEqual([])
    expect(coordinator.calls.submitResult).toEqual([])
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'the next one', { change: { seed: 0n } }))
    await coordinator.waitForCalls('submitResult', 1)
  })

  it('ends at its deadline, and the coordinator is told', async () => {
    // A clock that starts a tenth into a second, three seconds before the deadline.
    const startMs = performance.now()
    const clock = { nowMs: () => 1_800_000_000_100 + performance.now() - startMs }
    const coordinator = await createCoordinator({ clock })
    const rig = await createMiner([toRecord(coordinator)], { clock })
    const { script, ended } = createEndlessScript()
    rig.engine.script = script
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'deadline', { nowMs: clock.nowMs(), change: { deadline: 1_800_000_003n } }))
    expect(await ended).toMatchObject({ code: 'CUCKOO_MINER_TASK_PAST_DEADLINE' })
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body).toMatchObject({ code: 'CUCKOO_MINER_TASK_PAST_DEADLINE', fatal: false })
  })
})
