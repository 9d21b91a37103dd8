import type { NodeSet, NodeSetWatch } from '../domain/chainPort.ts'
import { createChainClock } from '../domain/chainTime.ts'
import type { Engine } from '../domain/enginePort.ts'
import { type Address, addressPattern } from '../domain/hex.ts'
import type { Clock, SignatureVerifier, Signer } from '../domain/ports.ts'
import type { MinerStore } from '../domain/storePorts.ts'
import { toCuckooError } from '../errors/internal.ts'
import { minerCoordinatorUnknown, minerModelsMissing, minerNodeInactive, minerOperatorUnknown } from '../errors/miner.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MinerMetrics } from '../telemetry/metrics.ts'
import { waitMs } from './backoff.ts'
import { type LoadedModel, type LoadedModels, loadModels } from './loadModels.ts'
import { defaultMinerTiming, type MinerConfig } from './minerConfig.ts'
import type { MinerChain, MinerContext } from './minerContext.ts'
import { createMinerEvents, type MinerEventListener, type MinerEvents } from './minerEvents.ts'
import type { MinerState, ModelState } from './minerState.ts'
import { createNotifier } from './notifier.ts'
import { type RunningCoordinators, runCoordinators } from './runCoordinators.ts'
import { toCoordinatorTargets } from './toCoordinatorTargets.ts'
import { watchJury } from './watchJury.ts'

/** Distinct reasons of empty polls that the metric tells apart. */
const maxReasonLabels = 20

export interface MinerDependencies {
  /** this miner: its owner's address */
  node: Address
  /** the node's operator key */
  signer: Signer
  verifier: SignatureVerifier
  chain: MinerChain
  /** open and owned by this process; whoever opened it closes it after `done` */
  store: MinerStore
  /** whoever made it disposes of it after `done`; the models opened here are disposed of by the miner */
  engine: Engine
  clock: Clock
  logger: Logger
  metrics: MinerMetrics
  config: MinerConfig
  /** hears everything from the first download on; {@link RunningMiner.onEvent} hears what comes after the start */
  onEvent?: MinerEventListener
  /** ends the start: downloads, loading, warm-up */
  signal?: AbortSignal
}

export interface RunningMiner {
  state(): MinerState
  /** returns what ends the subscription */
  onEvent(listener: MinerEventListener): () => void
  /** Takes no more tasks, lets running ones end and their results arrive for at most `graceMs`, then ends as `stop` does. */
  drain(options: { graceMs: number }): Promise<void>
  /** Closes sessions, which gives running tasks to other miners at once, and unloads models. Also cuts a drain short. */
  stop(): Promise<void>
  /** Resolves when the miner has ended; rejects with CUCKOO_MINER_SESSION_ELSEWHERE when another miner uses its key. */
  readonly done: Promise<void>
}

/**
 * A miner at work: its models are loaded and warm, and it looks for coordinators from now on. A coordinator that cannot be
 * reached is no error: it is tried again until it comes.
 *
 * @throws CUCKOO_MINER_MODELS_MISSING, CUCKOO_MINER_MODEL_TWICE, CUCKOO_MINER_MODEL_UNUSABLE and the engine's own errors
 * @throws CUCKOO_MINER_OPERATOR_UNKNOWN when the signer is not the node's operator
 * @throws CUCKOO_MINER_NODE_INACTIVE when the node is no active miner
 * @throws CUCKOO_MINER_COORDINATOR_UNKNOWN when the config names an address that is no active coordinator
 */
export async function startMiner(dependencies: MinerDependencies): Promise<RunningMiner> {
  const { chain, config, clock, logger } = dependencies
  if (config.models.length === 0) throw minerModelsMissing({})
  const events = createMinerEvents((error) => logger.error({ err: error }, 'an event listener failed'))
  if (dependencies.onEvent !== undefined) events.subscribe(dependencies.onEvent)
  const startedAtMs = clock.nowMs()
  const watch = await chain.watchNodes(config.chain)
  try {
    await assertOperator(dependencies)
    assertCoordinators(config, watch.current())
    const models = await loadOffered(dependencies, events)
    return createRunningMiner(dependencies, { events, watch, models, startedAtMs })
  } catch (error) {
    await watch.stop()
    throw error
  }
}

async function assertOperator({ chain, node, signer }: MinerDependencies): Promise<void> {
  const [owner, record] = await Promise.all([chain.findOperator(signer.address), chain.getNode(node)])
  if (owner?.node !== node || record.operator !== signer.address) throw minerOperatorUnknown({ operator: signer.address, node })
  if (record.role !== 'miner' || !record.active) throw minerNodeInactive({ node, role: record.role, bondWei: record.bondWei })
}

function assertCoordinators(config: MinerConfig, set: NodeSet): void {
  for (const named of config.coordinators) {
    const found = toCoordinatorTargets(set, { coordinators: [named], blocked: config.blocked })
    if (found.size > 0) continue
    const reason = addressPattern.test(named.toLowerCase()) ? 'no active coordinator with a URL has this address' : 'it is neither an address nor a URL'
    throw minerCoordinatorUnknown({ coordinator: named, reason })
  }
}

function loadOffered({ engine, config, clock, signal }: MinerDependencies, events: MinerEvents): Promise<LoadedModels> {
  return loadModels(engine, config.models, {
    clock,
    ...(signal === undefined ? {} : { signal }),
    onProgress: (model, progress) => events.emit({ type: 'modelDownloading', model, progress }),
    onLoaded: (loaded) => events.emit({ type: 'modelLoaded', ...toModelState(loaded), loadMs: loaded.loadMs }),
  })
}

function toModelState({ model, unitsPerSecond }: LoadedModel): ModelState {
  const { manifest, manifestDigest, device, deviceReason } = model
  return { model: manifest.model, manifest: manifestDigest, dtype: manifest.dtype, device, deviceReason, unitsPerSecond }
}

interface StartedParts {
  events: MinerEvents
  watch: NodeSetWatch
  models: LoadedModels
  startedAtMs: number
}

function createContext({ chain, config, ...rest }: MinerDependencies, { events, watch, models }: StartedParts): MinerContext {
  const labels = new Set<string>()
  const { slots, client, allowPrivate, minUnitPriceWei, maxUnpaid, redeemAboveWei } = config
  return {
    ...rest,
    chain,
    chainClock: createChainClock(rest.clock, () => watch.current().blockTimestamp),
    refreshMs: config.chain.pollMs,
    findVoucher: async (coordinator) => (await rest.store.listPayments()).find((payments) => payments.coordinator === coordinator)?.voucher ?? null,
    domainSeparator: chain.domainSeparator,
    models,
    slots,
    client,
    allowPrivate,
    minUnitPriceWei,
    maxUnpaid,
    redeemAboveWei,
    timing: { ...defaultMinerTiming, ...config.timing },
    getNodeSet: () => watch.current(),
    engineLoad: { running: 0 },
    events,
    changed: createNotifier(),
    toReasonLabel(reason) {
      if (labels.size < maxReasonLabels) labels.add(reason)
      return labels.has(reason) ? reason : 'other'
    },
  }
}

function createRunningMiner(dependencies: MinerDependencies, parts: StartedParts): RunningMiner {
  const { node, signer, config } = dependencies
  const { events, watch, models, startedAtMs } = parts
  const context = createContext(dependencies, parts)
  const done = Promise.withResolvers<void>()
  // The caller may look at `done` late, or never.
  done.promise.catch(() => undefined)
  let phase: MinerState['phase'] = 'running'
  let ending: Promise<void> | null = null

  const stopJuryWatch = watchJury(context)

  async function finish(fatal: unknown): Promise<void> {
    stopJuryWatch()
    await watch.stop()
    await Promise.allSettled([...models.values()].map(({ model }) => model.dispose()))
    phase = 'stopped'
    events.emit({ type: 'stopped' })
    if (fatal === undefined) done.resolve()
    else done.reject(toCuckooError(fatal))
  }
  function end(work: () => Promise<void>, fatal?: unknown): Promise<void> {
    ending ??= work().then(() => finish(fatal))
    return ending
  }
  const coordinators: RunningCoordinators = runCoordinators(context, watch, config, (error) => void end(stopNow, error))
  const stopped = Promise.withResolvers<void>()
  const stopNow = async () => {
    phase = 'draining'
    // A model that does not let go must not hold up the end: disposing of it ends its worker.
    const ended = new AbortController()
    await Promise.race([coordinators.stop(), waitMs(2 * context.timing.farewellMs, ended.signal)])
    ended.abort()
    stopped.resolve()
  }

  return {
    done: done.promise,
    onEvent: (listener) => events.subscribe(listener),
    state: () => ({
      node,
      operator: signer.address,
      startedAtMs,
      phase,
      slots: config.slots,
      nodeSetAgeMs: watch.ageMs(),
      models: [...models.values()].map(toModelState),
      coordinators: coordinators.getStates(),
    }),
    drain: ({ graceMs }) =>
      end(async () => {
        phase = 'draining'
        const tasks = coordinators.getStates().reduce((sum, { tasks: running }) => sum + running.length, 0)
        events.emit({ type: 'draining', graceMs, tasks })
        await Promise.race([coordinators.drain(graceMs), stopped.promise])
      }),
    async stop() {
      if (ending !== null) await stopNow()
      await end(stopNow)
    },
  }
}
