import { afterEach } from 'vitest'
import { weiPerCai } from '../../src/domain/amount.ts'
import type { Address } from '../../src/domain/hex.ts'
import type { NodeRecord } from '../../src/domain/node.ts'
import type { Clock } from '../../src/domain/ports.ts'
import type { MinerConfig } from '../../src/miner/minerConfig.ts'
import type { MinerEvent } from '../../src/miner/minerEvents.ts'
import type { MinerTiming } from '../../src/miner/minerTiming.ts'
import { type RunningMiner, startMiner } from '../../src/miner/startMiner.ts'
import type { MinerMetrics } from '../../src/telemetry/metrics.ts'
import { createFakeChain, type FakeChain } from './fakeChain.ts'
import { createTestSigner, startTestCoordinator, type TestCoordinator, type TestCoordinatorOptions, waitFor } from './minerCoordinator.ts'
import { createFakeEngine, createFakeMinerStore, createNodeRecord, type FakeEngine, type FakeMinerStore } from './minerFakes.ts'
import { createMinerSetup, fastTiming } from './minerSetup.ts'

export const minerNode: Address = `0x${'11'.repeat(20)}`
export const minerSigner = createTestSigner(1)
export const coordinatorNode: Address = `0x${'cc'.repeat(20)}`
export const coordinatorSigner = createTestSigner(2)
/** who signs for {@link coordinatorNode} */
export const coordinatorParty = { node: coordinatorNode, signer: coordinatorSigner }
export const minerRecord = createNodeRecord(minerNode, 'miner', minerSigner.address)

export interface MinerRig {
  miner: RunningMiner
  chain: FakeChain
  engine: FakeEngine
  store: FakeMinerStore
  metrics: MinerMetrics
  events: MinerEvent[]
  /** the first event of this type; waits for it */
  waitForEvent<T extends MinerEvent['type']>(type: T, isIt?: (event: MinerEvent & { type: T }) => boolean): Promise<MinerEvent & { type: T }>
}

const cleanUps: (() => Promise<unknown>)[] = []

/** Keeps texts in their model until the returned function is called: each is then one token. */
export function holdTexts({ engine }: Pick<MinerRig, 'engine'>): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  engine.script = async () => {
    await promise
    return { tokenIds: [1], finishReason: 'stop' }
  }
  return resolve
}

/** Ends what {@link createCoordinator} and {@link createMiner} started, newest first, after each test. */
export function endRigsAfterEach(): void {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })
}

export async function createCoordinator(options: Partial<TestCoordinatorOptions> = {}): Promise<TestCoordinator> {
  const coordinator = await startTestCoordinator({ ...coordinatorParty, miners: new Map([[minerNode, minerSigner.address]]), ...options })
  cleanUps.push(() => coordinator.kill())
  return coordinator
}

/** The chain's record of `coordinator`. */
export function toRecord(coordinator: { node: Address; url: string }, more: Partial<NodeRecord> & { weightCai?: number } = {}): NodeRecord {
  return createNodeRecord(coordinator.node, 'coordinator', coordinatorSigner.address, { url: coordinator.url, ...more })
}

export async function createMiner(
  records: NodeRecord[],
  more: {
    config?: Partial<MinerConfig>
    timing?: Partial<MinerTiming>
    engine?: FakeEngine
    store?: FakeMinerStore
    clock?: Clock
    prepare?: (chain: FakeChain) => void
    random?: () => number
    signal?: AbortSignal
  } = {},
): Promise<MinerRig> {
  const { engine = createFakeEngine(), store = createFakeMinerStore() } = more
  const chain = createFakeChain([minerRecord, ...records], { capWei: 100n * weiPerCai })
  more.prepare?.(chain)
  const setup = createMinerSetup('test/counter', { slots: 2, timing: { ...fastTiming, ...more.timing }, ...more.config })
  const events: MinerEvent[] = []
  const miner = await startMiner({
    ...setup,
    node: minerNode,
    signer: minerSigner,
    chain,
    store,
    engine,
    ...(more.clock !== undefined && { clock: more.clock }),
    onEvent: (event) => events.push(event),
    ...(more.random !== undefined && { random: more.random }),
    ...(more.signal !== undefined && { signal: more.signal }),
  })
  cleanUps.push(() => miner.stop())
  return {
    miner,
    chain,
    engine,
    store,
    metrics: setup.metrics,
    events,
    async waitForEvent<T extends MinerEvent['type']>(type: T, isIt: (event: MinerEvent & { type: T }) => boolean = () => true) {
      const find = () => events.find((event): event is MinerEvent & { type: T } => event.type === type && isIt(event as MinerEvent & { type: T }))
      await waitFor(() => find() !== undefined, `the event ${type}; seen: ${events.map((event) => event.type).join(', ')}`)
      return find() as MinerEvent & { type: T }
    },
  }
}
export { createTestSigner }
