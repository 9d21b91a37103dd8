import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Address, Hash } from '../../../src/domain/hex.ts'
import { draining, sessionTaken } from '../../../src/errors/api.ts'
import { createTestTask, type TestCoordinator, waitFor } from '../../support/minerCoordinator.ts'
import { createManifest } from '../../support/minerFakes.ts'
import {
  coordinatorNode,
  coordinatorParty,
  coordinatorSigner,
  createCoordinator,
  createMiner,
  createTestSigner,
  endRigsAfterEach,
  minerNode,
  minerSigner,
  toRecord,
} from '../../support/minerRig.ts'
import { startTamperingProxy, type TamperingProxy } from '../../support/tamperingProxy.ts'

endRigsAfterEach()

const other: Address = `0x${'dd'.repeat(20)}`

const proxies: TamperingProxy[] = []
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close()
})

/** What the miner reads of `coordinator` where `change` alters an answer's JSON. */
async function tamper(
  coordinator: TestCoordinator,
  path: string,
  change: (answer: Record<string, unknown>) => unknown,
): Promise<{ node: Address; url: string }> {
  const proxy = await startTamperingProxy(coordinator.url, (at, text) => (at === path ? JSON.stringify(change(JSON.parse(text))) : text))
  proxies.push(proxy)
  return { node: coordinator.node, url: proxy.url }
}

describe('the handshake', () => {
  it('says what the miner runs and hands in the tokenizer files that are wanted', async () => {
    const manifest = createManifest('test/counter')
    const wanted = manifest.files.map(({ sha256 }) => sha256)
    const refusedFiles = [{ model: 'test/counter', code: 'CUCKOO_MANIFEST_INVALID', message: 'its tokenizer does not open' }]
    const coordinator = await createCoordinator({ wanted, refusedFiles })
    const rig = await createMiner([toRecord(coordinator)], { config: { minUnitPriceWei: 7n } })
    expect((await rig.waitForEvent('sessionOpened')).refused).toEqual(refusedFiles)
    expect(coordinator.calls.openSession[0]?.body).toMatchObject({
      node: minerNode,
      coordinator: coordinatorNode,
      protocolVersion: 1,
      client: 'cuckoo/test',
      slots: 2,
      minUnitPriceWei: 7n,
      models: [{ manifest, device: 'cpu', unitsPerSecond: 1000 }],
    })
    expect(coordinator.calls.putBlob.map(({ params, body }) => [params.hash, Buffer.from(body).toString()])).toEqual([[wanted[0], '{"a test tokenizer":true}']])
  })

  it('refuses an impostor: whoever answers must hold the key that the chain names', async () => {
    const coordinator = await createCoordinator({ acceptSigner: createTestSigner(66) })
    const rig = await createMiner([toRecord(coordinator)])
    const failed = await rig.waitForEvent('sessionFailed')
    expect(failed.error).toMatchObject({ code: 'CUCKOO_MINER_COORDINATOR_IMPOSTOR', kind: 'invalid' })
    expect(failed.error.message).toContain(coordinatorSigner.address)
    expect(coordinator.calls.pollTask).toEqual([])
    expect(coordinator.calls.putBlob).toEqual([])
    expect(rig.miner.state().coordinators[0]).toMatchObject({ session: 'retrying', sessionId: null, lastError: { code: 'CUCKOO_MINER_COORDINATOR_IMPOSTOR' } })
  })

  it('tells a wrong clock clearly', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)], { clock: { nowMs: () => Date.now() - 600_000 } })
    const { error } = await rig.waitForEvent('sessionFailed')
    expect(error.code).toBe('CUCKOO_SESSION_CLOCK_SKEWED')
    expect(error.message).toMatch(/^Your clock says \d+, mine says \d+ \(unix seconds\): more than 60 s apart\.$/)
  })

  it('with a plain http address needs the guard lifted', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)], { config: { allowPrivate: false } })
    expect((await rig.waitForEvent('sessionFailed')).error.code).toBe('CUCKOO_OUTBOUND_REFUSED')
    expect(coordinator.calls.openSession).toEqual([])
  })
})

describe('a coordinator that answers what no coordinator would', () => {
  const hostile: Record<string, [path: string, event: 'sessionFailed' | 'pollFailed', change: (answer: Record<string, unknown>) => unknown, problem: string]> =
    {
      'a million wrong reasons': [
        '/miner/v1/poll',
        'pollFailed',
        (answer) => ({ ...answer, reasons: Array(1_000_000).fill(1) }),
        "'reasons': Too big: expected array to have <=100 items",
      ],
      'a wrong reason': ['/miner/v1/poll', 'pollFailed', (answer) => ({ ...answer, reasons: [1, 1, 1] }), "'reasons.0': expected string, received number"],
      'a million unknown objects': [
        '/miner/v1/poll',
        'pollFailed',
        (answer) => ({ ...answer, more: Array(1_000_000).fill({}) }),
        'it has more than 393216 objects, arrays and strings',
      ],
      'ten thousand wrong refusals': [
        '/miner/v1/session',
        'sessionFailed',
        (answer) => ({ ...answer, refused: Array(10_000).fill({}) }),
        "'refused': Too big: expected array to have <=64 items",
      ],
      'a heartbeat that no timer can wait for': [
        '/miner/v1/session',
        'sessionFailed',
        (answer) => ({ ...answer, heartbeatMs: 2 ** 31 }),
        "'heartbeatMs': Too big: expected number to be <=2147483647",
      ],
      'a lease in the past': [
        '/miner/v1/session',
        'sessionFailed',
        (answer) => ({ ...answer, leaseMs: -1 }),
        "'leaseMs': Too small: expected number to be >=0",
      ],
    }
  it.each(Object.entries(hostile))('%s: it is asked less and less often, and others give work', async (_name, [path, event, change, problem]) => {
    const [good, bad] = await Promise.all([createCoordinator({ node: other }), createCoordinator()])
    const tampered = await tamper(bad, path, (answer) => {
      // Else it would say next time that the session is taken.
      if ('sessionId' in answer) bad.sessions.close(answer.sessionId as Hash)
      return change(answer)
    })
    const rig = await createMiner([toRecord(good), toRecord(tampered)])
    const { error } = await rig.waitForEvent(event, ({ coordinator }) => coordinator.node === coordinatorNode)
    expect([error.code, error.message]).toEqual(['CUCKOO_API_RESPONSE_INVALID', expect.stringContaining(problem)])
    await rig.waitForEvent(event, ({ coordinator, error: next }) => coordinator.node === coordinatorNode && next !== error)
    good.queue(createTestTask({ ...coordinatorParty, node: other }, minerNode, 'work'))
    expect(await rig.waitForEvent('taskDone')).toMatchObject({ coordinator: { node: other } })
    expect(rig.miner.state().coordinators.find(({ node }) => node === coordinatorNode)).toMatchObject({ session: 'retrying', lastError: { code: error.code } })
  })

  it('its refusals reach people as plain text', async () => {
    const long = `\u001b[2J${'x'.repeat(9_000)}`
    const refused = Array.from({ length: 64 }, () => ({ model: '\u001b]0;model\u0007', code: '\n', message: long }))
    const coordinator = await tamper(await createCoordinator(), '/miner/v1/session', (answer) => ({ ...answer, refused }))
    const opened = await (await createMiner([toRecord(coordinator)])).waitForEvent('sessionOpened')
    expect(opened.refused[0]).toEqual({ model: ' ]0;model ', code: ' ', message: ` [2J${'x'.repeat(296)}` })
    expect(JSON.stringify(opened.refused)).not.toMatch(/\\[nu]|\p{Cc}/u)
  })
})

describe('another miner with our key', () => {
  it('ends the miner when its session outlives the time for one of ours', async () => {
    const coordinator = await createCoordinator()
    const first = await createMiner([toRecord(coordinator)])
    await first.waitForEvent('sessionOpened')
    const second = await createMiner([toRecord(coordinator)])
    await expect(second.miner.done).rejects.toMatchObject({ code: 'CUCKOO_MINER_SESSION_ELSEWHERE', kind: 'rejected' })
    expect(second.engine.openModels).toBe(0)
    expect((await second.waitForEvent('sessionFailed')).error.code).toBe('CUCKOO_SESSION_TAKEN')
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'the first goes on'))
    await first.waitForEvent('taskDone')
  })

  it('is not believed of one coordinator among several, but of two where none has let us in', async () => {
    const takenBy = async (node: Address) => {
      const coordinator = await createCoordinator({ node })
      coordinator.before.openSession = () => {
        throw sessionTaken({ node: minerNode })
      }
      return coordinator
    }
    const [liar, honest] = [await takenBy(coordinatorNode), await createCoordinator({ node: other })]
    const { miner, waitForEvent } = await createMiner([toRecord(liar), toRecord(honest)])
    await waitForEvent('sessionFailed')
    honest.queue(createTestTask({ ...coordinatorParty, node: other }, minerNode, 'work'))
    await waitForEvent('taskDone')
    // Four times as long as a session of ours could outlive us.
    const startedAt = performance.now()
    await waitFor(() => liar.calls.openSession.length > 5 && performance.now() - startedAt > 600, 'more refusals')
    expect(await Promise.race([miner.done, Promise.resolve('runs')])).toBe('runs')
    await miner.stop()
    const refused = await createMiner([toRecord(liar), toRecord(await takenBy(other))])
    await expect(refused.miner.done).rejects.toMatchObject({ code: 'CUCKOO_MINER_SESSION_ELSEWHERE' })
  })

  it('is only ourselves, died a moment ago: the session is waited out', async () => {
    const coordinator = await createCoordinator({ silenceMs: 2_000 })
    const first = await createMiner([toRecord(coordinator)])
    await first.waitForEvent('sessionOpened')
    coordinator.before.closeSession = () => {
      throw new Error('nobody says goodbye in a crash')
    }
    await first.miner.stop()
    const second = await createMiner([toRecord(coordinator)], { timing: { sessionTakenMs: 6_000 } })
    await second.waitForEvent('sessionOpened')
    expect((await second.waitForEvent('sessionFailed')).error.code).toBe('CUCKOO_SESSION_TAKEN')
  })
})

describe('a session', () => {
  it('that the coordinator forgot is opened again', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const { sessionId } = await rig.waitForEvent('sessionOpened')
    coordinator.sessions.close(sessionId)
    expect((await rig.waitForEvent('sessionLost')).error.code).toBe('CUCKOO_SESSION_INVALID')
    await rig.waitForEvent('sessionOpened', (event) => event.sessionId !== sessionId)
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'after'))
    await rig.waitForEvent('taskDone')
  })

  it('lost under a running task is replaced, and the task goes on', async () => {
    const coordinator = await createCoordinator({ heartbeatMs: 20 })
    const rig = await createMiner([toRecord(coordinator)], { config: { slots: 1 } })
    rig.engine.script = async () => {
      await delay(250)
      return { tokenIds: [1], finishReason: 'stop' }
    }
    const { sessionId } = await rig.waitForEvent('sessionOpened')
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'through'))
    await rig.waitForEvent('taskStarted')
    coordinator.sessions.close(sessionId)
    await rig.waitForEvent('taskDone')
    expect(rig.engine.runs).toHaveLength(1)
    expect(coordinator.calls.openSession).toHaveLength(2)
  })

  it('shows why there is no work', async () => {
    const coordinator = await createCoordinator({ pollMs: 10 })
    const rig = await createMiner([toRecord(coordinator)])
    expect(await rig.waitForEvent('waiting')).toMatchObject({ reasons: ['no task for your models'] })
    await coordinator.waitForCalls('pollTask', 4)
    expect(rig.events.filter(({ type }) => type === 'waiting')).toHaveLength(1)
    expect(rig.miner.state().coordinators[0]?.lastReasons).toEqual(['no task for your models'])
    expect(await rig.metrics.registry.getSingleMetricAsString('cuckoo_miner_polls_empty_total')).toContain('reason="no task for your models"')
  })

  it('is polled no faster than the minimum when the coordinator answers at once', async () => {
    const coordinator = await createCoordinator({ pollMs: 0 })
    await createMiner([toRecord(coordinator)], { timing: { minPollMs: 50 } })
    await coordinator.waitForCalls('pollTask', 1)
    await delay(300)
    expect(coordinator.calls.pollTask.length).toBeLessThanOrEqual(8)
  })
})

describe('a coordinator that shuts down', () => {
  it('is asked again no sooner than its Retry-After says', { timeout: 10_000 }, async () => {
    const coordinator = await createCoordinator()
    coordinator.before.pollTask = () => {
      throw draining({})
    }
    const rig = await createMiner([toRecord(coordinator)])
    expect(await rig.waitForEvent('pollFailed')).toMatchObject({ error: { code: 'CUCKOO_COORDINATOR_DRAINING' }, retryMs: 2_000 })
    await delay(1_500)
    expect(coordinator.calls.pollTask.length).toBe(1)
    await coordinator.waitForCalls('pollTask', 2)
    expect(coordinator.calls.pollTask[1]?.atMs).toBeGreaterThan((coordinator.calls.pollTask[0]?.atMs ?? 0) + 1_990)
  })
})

describe('a coordinator that is down', () => {
  it('at the start is tried again with growing pauses until it comes', async () => {
    const coordinator = await createCoordinator()
    await coordinator.kill()
    const rig = await createMiner([toRecord(coordinator)], { timing: { backoff: { baseMs: 20, maxMs: 80 } } })
    const listFailures = () => rig.events.filter((event) => event.type === 'sessionFailed')
    await waitFor(() => listFailures().length >= 4, 'four failures')
    await delay(200)
    const failures = listFailures()
    expect(failures.length).toBeLessThanOrEqual(4 + 20)
    expect(failures[0]?.error.code).toBe('CUCKOO_API_UNREACHABLE')
    for (const { retryMs } of failures) expect(retryMs).toBeGreaterThanOrEqual(10)
    for (const { retryMs } of failures) expect(retryMs).toBeLessThanOrEqual(80)
    expect(rig.miner.state().coordinators[0]).toMatchObject({ session: 'retrying', slots: 2, lastError: { code: 'CUCKOO_API_UNREACHABLE' } })
    await coordinator.restart()
    await rig.waitForEvent('sessionOpened')
    expect(rig.miner.state().coordinators[0]).toMatchObject({ session: 'open', lastError: null })
  })

  it('in the middle is tried again, and the miner shakes hands anew', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    await coordinator.waitForCalls('pollTask', 1)
    await coordinator.kill()
    expect((await rig.waitForEvent('pollFailed')).error.code).toBe('CUCKOO_API_UNREACHABLE')
    await coordinator.restart()
    await waitFor(() => rig.events.filter(({ type }) => type === 'sessionOpened').length === 2, 'the second session')
    expect(rig.events.some((event) => event.type === 'sessionLost' && event.error.code === 'CUCKOO_SESSION_INVALID')).toBe(true)
  })
})

describe('the miner’s own standing', () => {
  it('is checked before anything is loaded', async () => {
    const coordinator = await createCoordinator()
    const { createFakeEngine, createNodeRecord } = await import('../../support/minerFakes.ts')
    const engine = createFakeEngine()
    const foreign = createNodeRecord(minerNode, 'miner', createTestSigner(5).address)
    await expect(createMiner([toRecord(coordinator), foreign], { engine })).rejects.toMatchObject({ code: 'CUCKOO_MINER_OPERATOR_UNKNOWN' })
    const inactive = createNodeRecord(minerNode, 'miner', minerSigner.address, { active: false })
    await expect(createMiner([toRecord(coordinator), inactive], { engine })).rejects.toMatchObject({ code: 'CUCKOO_MINER_NODE_INACTIVE' })
    const wrongRole = createNodeRecord(minerNode, 'coordinator', minerSigner.address)
    await expect(createMiner([wrongRole], { engine })).rejects.toThrow(/registered as 'coordinator', not as a miner/)
    expect(engine.openModels).toBe(0)
  })
})
