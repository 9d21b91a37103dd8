import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bodyTooLarge, draining, leaseLost, requestInvalid, resultInvalid, taskUnknown } from '../../../src/errors/api.ts'
import type { CuckooError } from '../../../src/errors/cuckooError.ts'
import type { MinerConfig } from '../../../src/miner/minerConfig.ts'
import type { MinerTiming } from '../../../src/miner/minerTiming.ts'
import { PaymentRecord, toPaymentFactor, toPaymentRecord } from '../../../src/miner/paymentRecord.ts'
import { UnpaidWork } from '../../../src/miner/unpaidWork.ts'
import { createTestTask, type TestCoordinator, waitFor } from '../../support/minerCoordinator.ts'
import { createFakeMinerStore } from '../../support/minerFakes.ts'
import { coordinatorParty, createCoordinator, createMiner, endRigsAfterEach, type MinerRig, minerNode, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

type More = NonNullable<Parameters<typeof createTestTask>[3]>

/** no test outlasts it */
const longPause = { unpaidWork: { baseMs: 120_000, maxMs: 120_000 } }
const shortPause = { unpaidWork: { baseMs: 40, maxMs: 40 } }
const start = (coordinator: TestCoordinator, config: Partial<MinerConfig> = {}, timing: Partial<MinerTiming> = longPause) =>
  createMiner([toRecord(coordinator)], { config: { slots: 1, ...config }, timing })
function queueTasks(coordinator: TestCoordinator, count: number, name = 'task', more: More = {}): void {
  for (let index = 0; index < count; index++) coordinator.queue(createTestTask(coordinatorParty, minerNode, `${name} ${index}`, more))
}
const getState = (rig: MinerRig) => {
  const [state] = rig.miner.state().coordinators
  if (state === undefined) throw new Error('no coordinator')
  return state
}
const count = (rig: MinerRig, type: MinerRig['events'][number]['type']) => rig.events.filter((event) => event.type === type).length
const waitForFailures = (rig: MinerRig, times: number) => waitFor(() => count(rig, 'taskFailed') >= times, `${times} tasks failed`)
/** the factor after so much refused work, in results */
const toFactor = (late: number) => toPaymentFactor(toPaymentRecord(1, { late }))

describe('a result that is refused in time', () => {
  const refusals: [string, (params: { taskId: string; attempt: number }) => CuckooError][] = [
    ['CUCKOO_TASK_LEASE_LOST', leaseLost],
    ['CUCKOO_TASK_UNKNOWN', taskUnknown],
    ['CUCKOO_TASK_RESULT_INVALID', ({ taskId }) => resultInvalid({ taskId, problem: 'the test says so' })],
    ['CUCKOO_API_REQUEST_INVALID', () => requestInvalid({ where: 'body', problem: 'the test says so' })],
    ['CUCKOO_API_BODY_TOO_LARGE', () => bodyTooLarge({ maximumBytes: 1 })],
  ]
  it.each(refusals)('with %s is work on credit: after two in a row there is no more', async (code, toError) => {
    const coordinator = await createCoordinator()
    coordinator.before.submitResult = ({ params }) => {
      throw toError(params)
    }
    const rig = await start(coordinator)
    queueTasks(coordinator, 5)
    const paused = await rig.waitForEvent('paused')
    expect(paused).toMatchObject({ reason: 'refused' })
    expect(paused.text).toMatch(/^results since the last paid one: 2 refused though their lease stood \((\w+)\); tried again after \d+ s$/)
    expect(paused.text).toContain(code)
    expect(getState(rig)).toMatchObject({ session: 'paused', lastReasons: [paused.text] })
    expect(getState(rig).paymentFactor).toBeCloseTo(toFactor(2), 12)
    expect((await rig.store.listPayments())[0]?.paymentRecord).toBeCloseTo(toPaymentRecord(1, { late: 2 }), 12)
    expect(await rig.metrics.registry.metrics()).toContain('cuckoo_miner_pauses_total{reason="refused"} 1')
    const polls = coordinator.calls.pollTask.length
    await delay(150)
    expect(coordinator.calls.pollTask.length).toBe(polls)
    expect(coordinator.calls.submitResult).toHaveLength(2)
  })

  it('is looked at again after a while: one more try each time, and all is well once one is paid', async () => {
    const coordinator = await createCoordinator()
    coordinator.before.submitResult = ({ params }) => {
      throw leaseLost(params)
    }
    const rig = await start(coordinator, {}, shortPause)
    queueTasks(coordinator, 3)
    await waitFor(() => count(rig, 'resumed') === 2, 'the second pause to end')
    expect(rig.events.filter(({ type }) => type === 'paused' || type === 'resumed' || type === 'taskFailed').map(({ type }) => type)).toEqual([
      'taskFailed',
      'taskFailed',
      'paused',
      'resumed',
      'taskFailed',
      'paused',
      'resumed',
    ])
    delete coordinator.before.submitResult
    queueTasks(coordinator, 1, 'paid')
    await rig.waitForEvent('taskDone')
    coordinator.before.submitResult = ({ params }) => {
      throw leaseLost(params)
    }
    queueTasks(coordinator, 2, 'after a paid one')
    await waitFor(() => count(rig, 'paused') === 3, 'a third pause')
    expect(count(rig, 'taskFailed')).toBe(5)
  })

  it('is forgiven with the next paid one: no pause for one of two', async () => {
    const coordinator = await createCoordinator()
    const rig = await start(coordinator)
    for (let pair = 1; pair <= 4; pair++) {
      coordinator.before.submitResult = ({ params }) => {
        throw leaseLost(params)
      }
      queueTasks(coordinator, 1, `refused ${pair}`)
      await waitForFailures(rig, pair)
      delete coordinator.before.submitResult
      queueTasks(coordinator, 1, `paid ${pair}`)
      await waitFor(() => count(rig, 'taskDone') === pair, `${pair} tasks done`)
    }
    expect(count(rig, 'paused')).toBe(0)
    expect(getState(rig).paymentFactor).toBeLessThan(toFactor(2))
  })

  it('is one of at most as many as the operator says, whatever runs beside it', async () => {
    const coordinator = await createCoordinator()
    coordinator.before.submitResult = ({ params }) => {
      throw leaseLost(params)
    }
    const rig = await start(coordinator, { maxUnpaid: 3, slots: 1 })
    queueTasks(coordinator, 9)
    await rig.waitForEvent('paused')
    expect(coordinator.calls.submitResult).toHaveLength(3)
  })

  it('counts though the first lease is over, when a heartbeat was answered since', async () => {
    const coordinator = await createCoordinator({ heartbeatMs: 15, leaseMs: 60_000 })
    coordinator.before.submitResult = ({ params }) => {
      throw taskUnknown(params)
    }
    const rig = await start(coordinator)
    rig.engine.script = async () => {
      // The second is asked for once the first is answered.
      await coordinator.waitForCalls('renewLease', 2)
      await delay(40)
      return { tokenIds: [1], finishReason: 'stop' }
    }
    queueTasks(coordinator, 1, 'renewed', { leaseMs: 30 })
    await waitForFailures(rig, 1)
    expect(getState(rig).paymentFactor).toBeCloseTo(toFactor(1), 12)
  })

  it('that is free costs nothing', async () => {
    const coordinator = await createCoordinator({ unitPriceWei: 0n })
    coordinator.before.submitResult = ({ params }) => {
      throw leaseLost(params)
    }
    const rig = await start(coordinator)
    queueTasks(coordinator, 4, 'free', { change: { unitPriceWei: 0n, maxPriceWei: 0n } })
    await waitForFailures(rig, 4)
    expect(count(rig, 'paused')).toBe(0)
    expect(getState(rig).paymentFactor).toBe(1)
  })

  it('because the app had left, as the coordinator says when it is asked, counts a quarter', async () => {
    const coordinator = await createCoordinator()
    coordinator.before.submitResult = ({ params }) => {
      coordinator.cancelled.add(params.taskId)
      throw leaseLost(params)
    }
    const rig = await start(coordinator)
    queueTasks(coordinator, 4)
    await waitForFailures(rig, 4)
    expect(count(rig, 'paused')).toBe(0)
    expect(getState(rig).paymentFactor).toBeCloseTo(toFactor(1), 12)
  })
})

describe('a result that is refused honestly', () => {
  it('because its lease was over is not held against the coordinator', async () => {
    const coordinator = await createCoordinator({ heartbeatMs: 60_000 })
    coordinator.before.renewLease = () => {
      throw draining({})
    }
    coordinator.before.submitResult = ({ params }) => {
      throw leaseLost(params)
    }
    const rig = await start(coordinator)
    rig.engine.script = async () => {
      await delay(60)
      return { tokenIds: [1], finishReason: 'stop' }
    }
    queueTasks(coordinator, 3, 'late', { leaseMs: 30 })
    await waitForFailures(rig, 3)
    expect(getState(rig).paymentFactor).toBe(1)
    expect(count(rig, 'paused')).toBe(0)
  })

  it('long after a restart is not held against it either', async () => {
    const store = createFakeMinerStore()
    const coordinator = await createCoordinator()
    coordinator.before.submitResult = () => {
      throw draining({})
    }
    const first = await createMiner([toRecord(coordinator)], { store, config: { slots: 2 } })
    queueTasks(coordinator, 2)
    await waitFor(() => store.entries.size === 2, 'two results')
    await first.miner.stop()
    coordinator.before.submitResult = ({ params }) => {
      throw leaseLost(params)
    }
    const rig = await createMiner([toRecord(coordinator)], { store })
    await waitFor(() => count(rig, 'resultSettled') === 2, 'both to be refused')
    expect(getState(rig).paymentFactor).toBe(1)
    expect(count(rig, 'paused')).toBe(0)
  })
})

describe('a run that the coordinator ends', () => {
  /** Each task streams until it is ended. */
  async function startStreams(ending: (coordinator: TestCoordinator, taskId: `0x${string}`) => void, stream = true) {
    const coordinator = await createCoordinator({ heartbeatMs: stream ? 60_000 : 5 })
    const rig = await start(coordinator)
    rig.engine.script = async ({ signal, onTokens }) => {
      while (!signal.aborted) {
        onTokens([7])
        await delay(3)
      }
      throw signal.reason
    }
    coordinator.before[stream ? 'pushTokens' : 'renewLease'] = ({ params }: { params: { taskId: `0x${string}` } }) => ending(coordinator, params.taskId)
    return { coordinator, rig }
  }
  const cancel = (coordinator: TestCoordinator, taskId: `0x${string}`) => void coordinator.cancelled.add(taskId)

  it('after tokens were handed over, as when an app leaves, counts a quarter: eight in a row end the work', async () => {
    const { coordinator, rig } = await startStreams(cancel)
    queueTasks(coordinator, 7, 'cancelled', { stream: true })
    await waitForFailures(rig, 7)
    expect(count(rig, 'paused')).toBe(0)
    expect(getState(rig).paymentFactor).toBeCloseTo(toFactor(7 / 4), 12)
    queueTasks(coordinator, 2, 'and one more', { stream: true })
    expect((await rig.waitForEvent('paused')).text).toMatch(/^results since the last paid one: 8 cancelled with output handed over/)
    expect(count(rig, 'taskFailed')).toBe(8)
  })

  it('with a lease that is lost before its time counts like a refused result', async () => {
    const { coordinator, rig } = await startStreams((_, taskId) => {
      throw leaseLost({ taskId, attempt: 1 })
    })
    let chunks = 0
    const refuse = coordinator.before.pushTokens
    coordinator.before.pushTokens = (input) => (++chunks % 2 === 0 ? refuse?.(input) : undefined)
    queueTasks(coordinator, 3, 'lost', { stream: true })
    expect(await rig.waitForEvent('paused')).toMatchObject({ reason: 'refused' })
    expect(count(rig, 'taskFailed')).toBe(2)
    expect(getState(rig).paymentFactor).toBeCloseTo(toFactor(2), 12)
  })

  it('with nothing handed over costs the coordinator nothing', async () => {
    const { coordinator, rig } = await startStreams(cancel, false)
    queueTasks(coordinator, 9, 'cancelled early')
    await waitForFailures(rig, 9)
    expect(count(rig, 'paused')).toBe(0)
    expect(getState(rig).paymentFactor).toBe(1)
  })
})

describe('unpaid work', () => {
  it('that goes on makes each pause twice as long at most, up to the longest; a paid result forgets it', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const work = new UnpaidWork(new PaymentRecord(1, () => undefined), { maxUnpaid: 2, policy: { baseMs: 1_000, maxMs: 3_000 } })
    const pauses: number[] = []
    work.add('refused', 'CODE')
    expect(work.findPause()).toBeNull()
    for (let times = 0; times < 4; times++) {
      work.add('refused', 'CODE')
      const leftMs = work.findPause()?.leftMs ?? 0
      pauses.push(leftMs)
      // What was under way already makes it no longer.
      work.add('refused', 'CODE')
      expect(work.findPause()?.leftMs).toBe(leftMs)
      vi.advanceTimersByTime(leftMs)
      expect(work.findPause()).toBeNull()
      expect(work.results).toBe(1)
    }
    expect(pauses).toEqual([1_000, 2_000, 3_000, 3_000])
    work.clear()
    work.add('refused', 'CODE')
    expect(work.findPause()).toBeNull()
    work.add('refused', 'CODE')
    expect(work.findPause()).toMatchObject({ leftMs: 1_000, text: expect.stringContaining('2 refused') })
  })

  it('that was late adds up to a pause, but never in the record', () => {
    const kept: number[] = []
    const work = new UnpaidWork(new PaymentRecord(1, (value) => kept.push(value)), { maxUnpaid: 1, policy: { baseMs: 60_000, maxMs: 60_000 } })
    for (let times = 0; times < 3; times++) work.add('late', 'CUCKOO_TASK_LEASE_LOST')
    expect(work.findPause()).toBeNull()
    work.add('late', 'CUCKOO_TASK_LEASE_LOST')
    expect(work.findPause()?.text).toMatch(/^results since the last paid one: 4 refused as late \(CUCKOO_TASK_LEASE_LOST\)/)
    expect(kept).toEqual([])
  })
})
