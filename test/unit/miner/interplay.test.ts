import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type Manifest, toManifestDigest } from '../../../src/domain/manifest.ts'
import { toWeight } from '../../../src/domain/node.ts'
import { verifyReceipt } from '../../../src/domain/receipt.ts'
import { minerLeft } from '../../../src/errors/coordinator.ts'
import type { MinerEvent } from '../../../src/miner/minerEvents.ts'
import { type RunningMiner, startMiner } from '../../../src/miner/startMiner.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { createMinerMetrics } from '../../../src/telemetry/metrics.ts'
import {
  type CoordinatorRig,
  coordinatorNode,
  createCoordinatorRig,
  createLetterManifest,
  endCoordinatorRigs,
  toLetterIds,
  toMinerNode,
  toMinerSigner,
  verifier,
} from '../../support/coordinatorRig.ts'
import { waitFor } from '../../support/minerCoordinator.ts'
import { createFakeEngine, createFakeMinerStore, type FakeEngine, testDomainSeparator } from '../../support/minerFakes.ts'
import { fastTiming } from '../../support/minerRig.ts'

const miners: RunningMiner[] = []
afterEach(async () => {
  await Promise.all(miners.splice(0).map((miner) => miner.stop()))
  await endCoordinatorRigs()
})

const story = 'a cuckoo sang'

/** Says the story, a letter at a time. */
function createStoryEngine(pauseMs: number): FakeEngine {
  const engine = createFakeEngine(async ({ params, signal, onTokens }) => {
    const tokenIds: number[] = []
    for (const id of toLetterIds(story).slice(0, params.maxTokens)) {
      await delay(pauseMs)
      signal.throwIfAborted()
      tokenIds.push(id)
      onTokens([id])
    }
    return { tokenIds, finishReason: tokenIds.length < params.maxTokens ? 'stop' : 'length' }
  })
  const manifest: Manifest = createLetterManifest()
  const open = engine.openModel
  engine.openModel = async (request) => ({
    ...(await open(request)),
    manifest,
    manifestDigest: toManifestDigest(manifest),
    readFile: async () => Buffer.from('{"letters":true}'),
  })
  return engine
}

/** Puts the coordinator's URL into its profile. */
function announce(rig: CoordinatorRig): void {
  rig.chain.setNodes(
    rig.records.map((record) => ({
      ...record,
      weightWei: toWeight(record),
      profile: { name: record.role, url: record.node === coordinatorNode ? rig.serving.url : '', description: '' },
    })),
  )
}

async function startRealMiner(rig: CoordinatorRig, index: number, pauseMs = 2) {
  const events: MinerEvent[] = []
  const engine = createStoryEngine(pauseMs)
  const store = createFakeMinerStore()
  const miner = await startMiner({
    node: toMinerNode(index),
    signer: toMinerSigner(index),
    verifier,
    chain: rig.chain,
    store,
    engine,
    clock: rig.clock,
    logger: createLogger({ level: 'silent', name: 'miner' }),
    metrics: createMinerMetrics(),
    config: {
      models: [{ model: 'test/letters', source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' }],
      slots: 1,
      coordinators: [],
      blocked: [],
      minUnitPriceWei: 0n,
      maxUnpaid: 2,
      redeemAboveWei: null,
      allowPrivate: true,
      client: 'cuckoo/test',
      chain: { pollMs: 100, confirmations: 0 },
      timing: fastTiming,
    },
    onEvent: (event) => events.push(event),
  })
  miners.push(miner)
  const has = (type: MinerEvent['type']) => events.some((event) => event.type === type)
  return { miner, engine, store, events, waitFor: (type: MinerEvent['type']) => waitFor(() => has(type), `${type} of miner ${index}`) }
}

const request = { model: 'test/letters', kind: 'completion' as const, input: { prompt: 'tell' }, params: { maxTokens: 60 }, dryRun: false }

describe('a miner with a real coordinator', () => {
  it('answers a task, and the receipt carries both signatures', async () => {
    const rig = await createCoordinatorRig()
    announce(rig)
    const { waitFor: waitForEvent, store } = await startRealMiner(rig, 1)
    await waitForEvent('sessionOpened')
    const { task } = await rig.app.createTask({ query: { waitMs: 5_000 }, body: request })
    expect(task).toMatchObject({ state: 'done', text: story, attempt: 1, miner: toMinerNode(1), failures: [] })
    const { receipt } = await rig.app.getReceipt({ params: { id: task?.id as never } })
    const operators = { coordinator: await rig.chain.getOperators(coordinatorNode), miner: [toMinerSigner(1).address] }
    expect(verifyReceipt(receipt, testDomainSeparator, verifier.recover, operators).every(({ ok }) => ok)).toBe(true)
    await waitForEvent('taskDone')
    expect(await store.countResults()).toEqual({ signed: 1, delivered: 1 })
  })

  it('streams as it writes', async () => {
    const rig = await createCoordinatorRig()
    announce(rig)
    await (await startRealMiner(rig, 1, 15)).waitFor('sessionOpened')
    const pieces: string[] = []
    for await (const event of rig.app.stream.createCompletion({ body: { model: 'test/letters', prompt: 'tell', max_tokens: 60, stream: true } }))
      pieces.push(event.choices[0]?.text ?? '')
    expect(pieces.join('')).toBe(story)
    expect(pieces.filter((piece) => piece !== '').length).toBeGreaterThan(2)
  })

  it('that stops in the middle of a task leaves it to another at once, without blame', async () => {
    const rig = await createCoordinatorRig({ miners: [1_000_000, 21_000] })
    announce(rig)
    const first = await startRealMiner(rig, 1, 200)
    await first.waitFor('sessionOpened')
    const answer = rig.app.createTask({ query: { waitMs: 8_000 }, body: request })
    await first.waitFor('taskStarted')
    await (await startRealMiner(rig, 2)).waitFor('sessionOpened')
    const startedAt = performance.now()
    await first.miner.stop()
    const { task } = await answer
    expect(task).toMatchObject({ state: 'done', text: story, attempt: 2, miner: toMinerNode(2), failures: [{ attempt: 1, code: minerLeft.code }] })
    expect(performance.now() - startedAt).toBeLessThan(2_500)
  })

  it('carries a task through a restart of the coordinator, at another URL', async () => {
    const rig = await createCoordinatorRig({ config: { leaseMs: 20_000, heartbeatMs: 3_000 } })
    announce(rig)
    const { waitFor: waitForEvent, events } = await startRealMiner(rig, 1, 60)
    await waitForEvent('sessionOpened')
    const { task } = await rig.app.createTask({ query: { waitMs: 0 }, body: request })
    await waitForEvent('taskStarted')
    await rig.restart()
    announce(rig)
    const done = await rig.app.getTask({ params: { id: task?.id as never }, query: { waitMs: 8_000 } })
    expect(done).toMatchObject({ state: 'done', text: story, attempt: 1, miner: toMinerNode(1) })
    await waitForEvent('taskDone')
    expect(events.filter(({ type }) => type === 'sessionOpened')).toHaveLength(2)
  })

  it('ends a task that the app cancels', async () => {
    const rig = await createCoordinatorRig()
    announce(rig)
    const { waitFor: waitForEvent, events, store } = await startRealMiner(rig, 1, 100)
    await waitForEvent('sessionOpened')
    const { task } = await rig.app.createTask({ query: { waitMs: 0 }, body: request })
    await waitForEvent('taskStarted')
    await rig.app.cancelTask({ params: { id: task?.id as never } })
    await waitForEvent('taskFailed')
    expect(events.find((event) => event.type === 'taskFailed')?.error.code).toBe('CUCKOO_MINER_TASK_UNWANTED')
    expect(store.entries.size).toBe(0)
    expect((await rig.app.createTask({ query: { waitMs: 5_000 }, body: request })).task?.state).toBe('done')
  })
})
