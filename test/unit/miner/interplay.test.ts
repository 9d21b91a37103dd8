import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { weiPerCai } from '../../../src/domain/amount.ts'
import { type Manifest, toManifestDigest } from '../../../src/domain/manifest.ts'
import { type NodeRecord, toWeight } from '../../../src/domain/node.ts'
import { verifyReceipt } from '../../../src/domain/receipt.ts'
import { minerLeft } from '../../../src/errors/coordinator.ts'
import { inferenceWorkerEnded } from '../../../src/errors/inference.ts'
import type { MinerConfig } from '../../../src/miner/minerConfig.ts'
import type { MinerEvent } from '../../../src/miner/minerEvents.ts'
import { type RunningMiner, startMiner } from '../../../src/miner/startMiner.ts'
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
import { createMinerSetup } from '../../support/minerSetup.ts'

const miners: RunningMiner[] = []
const wires: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(miners.splice(0).map((miner) => miner.stop()))
  for (const end of wires.splice(0)) await end()
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

/** Puts the coordinator's URL into its profile; `change` is what else became of a miner. */
function announce(rig: CoordinatorRig, change: Partial<NodeRecord> = {}): void {
  rig.chain.setNodes(
    rig.records.map((record) => ({
      ...record,
      ...(record.role === 'miner' && change),
      weightWei: toWeight(record),
      profile: { name: record.role, url: record.node === coordinatorNode ? rig.serving.url : '', description: '' },
    })),
  )
}

/** A way to the coordinator that can be cut: connections break, and new ones too until it is mended. */
async function startWire(rig: CoordinatorRig) {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((socket) => {
    if (isCut) return socket.destroy()
    const far = connect(Number(new URL(rig.serving.url).port), '127.0.0.1')
    for (const end of [socket, far]) end.on('error', () => undefined).on('close', () => [socket, far].map((both) => both.destroy()))
    for (const end of [socket, far]) sockets.add(end)
    socket.pipe(far).pipe(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  const mend = () => {
    isCut = false
  }
  wires.push(async () => {
    cut()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut, mend }
}

async function startRealMiner(rig: CoordinatorRig, index: number, pauseMs = 2, more: Partial<MinerConfig> = {}) {
  const events: MinerEvent[] = []
  const engine = createStoryEngine(pauseMs)
  const store = createFakeMinerStore()
  const miner = await startMiner({
    ...createMinerSetup('test/letters', more),
    node: toMinerNode(index),
    signer: toMinerSigner(index),
    chain: rig.chain,
    store,
    engine,
    clock: rig.clock,
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

describe('fault 4: a miner that is cut off for two leases', () => {
  it('learns with its late result that another has answered, and the task counts once', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000], config: { leaseMs: 600, heartbeatMs: 200 } })
    announce(rig)
    const wire = await startWire(rig)
    const late = await startRealMiner(rig, 1, 60, { coordinators: [wire.url] })
    await late.waitFor('sessionOpened')
    const answer = rig.app.createTask({ query: { waitMs: 15_000 }, body: request })
    await late.waitFor('taskStarted')
    wire.cut()
    const cutAtMs = performance.now()
    const heir = await startRealMiner(rig, 2)
    const { task } = await answer
    expect(task).toMatchObject({ state: 'done', text: story, attempt: 2, miner: toMinerNode(2) })
    await waitFor(() => late.store.entries.size === 1, 'the late result in the journal')
    expect(late.events.some(({ type }) => type === 'taskDone')).toBe(false)
    await delay(Math.max(0, 2 * 600 - (performance.now() - cutAtMs)))
    wire.mend()
    await late.waitFor('taskFailed')
    expect(late.events.find((event) => event.type === 'taskFailed')?.error).toMatchObject({ code: 'CUCKOO_TASK_LEASE_LOST', httpStatus: 409 })
    expect(await late.store.countResults()).toEqual({ signed: 1, delivered: 1 })
    expect((await late.store.listPayments()).map(({ results, owedWei }) => [results, owedWei])).toEqual([[0, 0n]])
    expect((await heir.store.listPayments()).map(({ results }) => results)).toEqual([1])
    expect(await rig.app.getTask({ params: { id: task?.id as never } })).toMatchObject({ attempt: 2, miner: toMinerNode(2) })
  })
})

describe('fault 9: a miner that loses its bond in the middle of a session', () => {
  it('is refused more tasks, may finish the one it has, and works again once the bond is back', async () => {
    const rig = await createCoordinatorRig()
    announce(rig)
    const { waitFor: waitForEvent, events } = await startRealMiner(rig, 1, 60, { slots: 2 })
    await waitForEvent('sessionOpened')
    const answer = rig.app.createTask({ query: { waitMs: 8_000 }, body: request })
    await waitForEvent('taskStarted')
    announce(rig, { bondWei: 20_000n * weiPerCai, active: false })
    await waitForEvent('pollFailed')
    const refusal = events.find((event) => event.type === 'pollFailed')?.error
    expect(refusal).toMatchObject({ code: 'CUCKOO_MINER_NOT_ELIGIBLE', httpStatus: 403, message: expect.stringContaining('its bond of 20000 CAI') })
    expect((await answer).task).toMatchObject({ state: 'done', text: story, attempt: 1 })
    announce(rig)
    expect((await rig.app.createTask({ query: { waitMs: 8_000 }, body: request })).task).toMatchObject({ state: 'done', text: story, attempt: 1 })
  })
})

describe('fault 28: a payload that crashes the runtime', () => {
  it('is dead after three miners, each of which says what it did', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000, 21_000] })
    announce(rig)
    for (const index of [1, 2, 3]) {
      const { engine, waitFor: waitForEvent } = await startRealMiner(rig, index)
      engine.script = () => Promise.reject(inferenceWorkerEnded({ worker: 'model test/letters', reason: 'poison' }))
      await waitForEvent('sessionOpened')
    }
    const { task } = await rig.app.createTask({ query: { waitMs: 8_000 }, body: request })
    expect(task).toMatchObject({ state: 'dead' })
    expect(task?.failures.map(({ code }) => code)).toEqual(Array(3).fill('CUCKOO_MINER_TASK_CRASHED'))
    expect(new Set(task?.failures.map(({ miner }) => miner)).size).toBe(3)
  })
})
