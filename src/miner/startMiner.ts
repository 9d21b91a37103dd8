import type { NodeSet, NodeSetWatch } from '../domain/chainPort.ts'
import type { Engine } from '../domain/enginePort.ts'
import { type Address, addressPattern } from '../domain/hex.ts'
import type { Clock, SignatureVerifier, Signer } from '../domain/ports.ts'
import type { MinerStore } from '../domain/storePorts.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import { minerCoordinatorUnknown, minerModelsMissing, minerNodeInactive, minerOperatorUnknown, minerPinUnknown, minerStuck } from '../errors/miner.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MinerMetrics } from '../telemetry/metrics.ts'
import { waitMs } from './backoff.ts'
import { CrashBook } from './crashBook.ts'
import { createLagMeter, type LagMeter } from './lagMeter.ts'
import { loadModels } from './loadModels.ts'
import type { MinerConfig } from './minerConfig.ts'
import { createMinerContext, type MinerChain, type MinerContext } from './minerContext.ts'
import { createMinerEvents, type MinerEvent, type MinerEventListener, type MinerEvents } from './minerEvents.ts'
import type { MinerState } from './minerState.ts'
import { watchStats } from './minerStats.ts'
import { ModelShelf, type ShelvedModel } from './modelShelf.ts'
import { toPaymentFactor } from './paymentRecord.ts'
import { type RunningCoordinators, runCoordinators } from './runCoordinators.ts'
import { toCoordinatorTargets } from './toCoordinatorTargets.ts'
import { watchJury } from './watchJury.ts'
import { watchOutbox } from './watchOutbox.ts'

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
  /** uniform in [0, 1): what turns the spread of slots */
  random?: () => number
}

export interface RunningMiner {
  state(): MinerState
  /** returns what ends the subscription */
  onEvent(listener: MinerEventListener): () => void
  /** Takes no more tasks until it is resumed; running ones end, then all models are unloaded. Returns at once: `state` shows how far it is. */
  pause(options: { reason: string }): void
  /** Takes tasks again; models are loaded as tasks need them. */
  resume(): void
  /** Takes no more tasks, lets running ones end and their results arrive for at most `graceMs`, then ends as `stop` does. */
  drain(options: { graceMs: number }): Promise<void>
  /** Closes sessions, which gives running tasks to other miners at once, and unloads models. Also cuts a drain short. */
  stop(): Promise<void>
  /**
   * Resolves when the miner has ended; rejects with CUCKOO_MINER_SESSION_ELSEWHERE when another miner uses its key, and with
   * CUCKOO_MINER_STUCK when a model did not let go of its run: then only the end of the process does.
   */
  readonly done: Promise<void>
}

/**
 * A miner at work: its models are loaded and warm, and it looks for coordinators from now on. A coordinator that cannot be
 * reached is no error: it is tried again until it comes.
 *
 * @throws CUCKOO_MINER_MODELS_MISSING, CUCKOO_MINER_MODEL_TWICE, CUCKOO_MINER_MODEL_OVER_BUDGET, CUCKOO_MINER_MODEL_UNUSABLE and the engine's own errors
 * @throws CUCKOO_INFERENCE_STUCK, CUCKOO_MINER_STUCK when a model's loading or its first runs do not end: then only the end of the process does
 * @throws CUCKOO_MINER_PIN_UNKNOWN when a pinned model is not offered
 * @throws CUCKOO_MINER_OPERATOR_UNKNOWN when the signer is not the node's operator
 * @throws CUCKOO_MINER_NODE_INACTIVE when the node is no active miner
 * @throws CUCKOO_MINER_COORDINATOR_UNKNOWN when the config names an address that is no active coordinator
 */
export async function startMiner(dependencies: MinerDependencies): Promise<RunningMiner> {
  const { chain, config, clock, store, logger, metrics, random = Math.random } = dependencies
  if (config.models.length === 0) throw minerModelsMissing({})
  assertPins(config)
  const events = createMinerEvents((error) => logger.error({ err: error }, 'an event listener failed'))
  if (dependencies.onEvent !== undefined) events.subscribe(dependencies.onEvent)
  const shelf = createShelf(dependencies, events)
  events.subscribe((event) => measure(event, { shelf, metrics, logger }))
  const about = { startedAtMs: clock.nowMs(), stats: watchStats(events, clock), lag: createLagMeter() }
  const watch = await chain.watchNodes(config.chain)
  try {
    await assertOperator(dependencies)
    assertCoordinators(config, watch.current())
    const crashes = await CrashBook.open(store, clock, events)
    const paymentFactors = new Map((await store.listPayments()).map(({ coordinator, paymentRecord }) => [coordinator, toPaymentFactor(paymentRecord)]))
    await loadOffered(shelf, dependencies, events)
    const context = createMinerContext({ ...dependencies, events, shelf, crashes, paymentFactors, watch, lag: about.lag, random })
    events.subscribe(({ type }) => {
      if (type === 'modelWithheld' || type === 'modelOffered') context.changed.notify()
    })
    return createRunningMiner(context, { ...about, config, watch })
  } catch (error) {
    const [closed] = await Promise.allSettled([shelf.dispose(), watch.stop()])
    if (closed.status === 'fulfilled' && closed.value.length > 0) throw toStuckError(closed.value, error)
    throw error
  }
}

function assertPins({ models, pinned = [] }: MinerConfig): void {
  const offered = models.map(({ model }) => model)
  for (const model of pinned) if (!offered.includes(model)) throw minerPinUnknown({ model, offered: offered.join(', ') })
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

function toStuckError(models: ShelvedModel[], cause: unknown): CuckooError {
  return minerStuck({ models: models.map(({ manifest }) => manifest.model).join(', ') }, { cause })
}

function createShelf({ engine, config }: MinerDependencies, events: MinerEvents): ModelShelf {
  return new ModelShelf({
    engine,
    memoryBytes: config.memoryBytes ?? null,
    slotsByDevice: config.slotsByDevice ?? {},
    pinned: config.pinned ?? [],
    retryMs: config.modelRetryMs,
    timing: config.timing,
    onReloaded: (model, loadMs) => events.emit(toLoadedEvent(model, loadMs)),
    onUnloaded: ({ manifest, manifestDigest, device }, reason) =>
      events.emit({ type: 'modelUnloaded', model: manifest.model, manifest: manifestDigest, device, reason }),
    onWithheld: ({ manifest, manifestDigest }, error, { reason, retryAtMs }) =>
      events.emit({ type: 'modelWithheld', model: manifest.model, manifest: manifestDigest, error, reason, retryAtMs }),
    onOffered: ({ manifest, manifestDigest }) => events.emit({ type: 'modelOffered', model: manifest.model, manifest: manifestDigest }),
  })
}

function loadOffered(shelf: ModelShelf, { config, signal }: MinerDependencies, events: MinerEvents): Promise<void> {
  return loadModels(shelf, config.models, {
    ...(signal === undefined ? {} : { signal }),
    ...(config.timing?.firstLoadMs === undefined ? {} : { limitMs: config.timing.firstLoadMs }),
    onProgress: (model, progress) => events.emit({ type: 'modelDownloading', model, progress }),
    onLoaded: (model, loadMs) => events.emit(toLoadedEvent(model, loadMs)),
  })
}

function toLoadedEvent({ manifest, manifestDigest, device, deviceReason, unitsPerSecond }: ShelvedModel, loadMs: number): MinerEvent {
  const { model, kind, dtype } = manifest
  return { type: 'modelLoaded', model, manifest: manifestDigest, kind, dtype, device, deviceReason, unitsPerSecond, loadMs: Math.round(loadMs) }
}

function measure(event: MinerEvent, { shelf, metrics, logger }: { shelf: ModelShelf; metrics: MinerMetrics; logger: Logger }): void {
  if (event.type === 'modelLoaded' || event.type === 'modelUnloaded') metrics.modelMemoryBytes.set(shelf.getState().memory.usedBytes)
  if (event.type === 'modelUnloaded') metrics.modelsUnloaded.inc({ reason: event.reason })
  if (event.type !== 'taskCrashed') return
  metrics.tasksCrashed.inc()
  logger.error(
    { taskId: event.taskId, attempt: event.attempt, model: event.model, coordinator: event.node },
    'a task ended what ran it: it is refused for a day',
  )
}

interface StartedParts {
  config: MinerConfig
  watch: NodeSetWatch
  startedAtMs: number
  stats: ReturnType<typeof watchStats>
  lag: LagMeter
}

function createRunningMiner(context: MinerContext, { config, watch, ...about }: StartedParts): RunningMiner {
  const { node, signer, clock, events, logger, shelf, crashes, timing } = context
  const { startedAtMs, stats, lag } = about
  const done = Promise.withResolvers<void>()
  // The caller may look at `done` late, or never.
  done.promise.catch(() => undefined)
  let phase: MinerState['phase'] = 'running'
  let pauseReason: string | null = null
  let ending: Promise<void> | null = null

  const stopJuryWatch = watchJury(context)
  const stopOutboxWatch = watchOutbox(context)
  const countTasks = () => coordinators.getStates().reduce((sum, { tasks }) => sum + tasks.length, 0)

  const tellUnwritten = (error: unknown) => logger.error({ err: error }, 'the crash journal cannot be written')
  async function finish(fatal: unknown): Promise<void> {
    stopJuryWatch()
    const [, closed] = await Promise.allSettled([watch.stop(), shelf.dispose(), stopOutboxWatch()])
    const stuck = closed.status === 'fulfilled' ? closed.value : []
    await crashes.blame(stuck.map(({ manifestDigest }) => manifestDigest)).catch(tellUnwritten)
    phase = 'stopped'
    events.emit({ type: 'stopped' })
    if (stuck.length > 0) done.reject(toStuckError(stuck, fatal))
    else if (fatal === undefined) done.resolve()
    else done.reject(toCuckooError(fatal))
  }
  const closeCrashes = () => crashes.close().catch(tellUnwritten)
  function end(work: () => Promise<void>, fatal?: unknown): Promise<void> {
    ending ??= Promise.all([work(), closeCrashes()]).then(() => finish(fatal))
    return ending
  }
  const coordinators: RunningCoordinators = runCoordinators(context, watch, config, (error) => void end(stopNow, error))
  const stopped = Promise.withResolvers<void>()
  const stopNow = async () => {
    phase = 'draining'
    // A model that does not let go must not hold up the farewell.
    const ended = new AbortController()
    await Promise.race([coordinators.stop(), waitMs(2 * timing.farewellMs, ended.signal)])
    ended.abort()
    stopped.resolve()
  }
  const rest = async () => {
    await coordinators.pause()
    if (phase === 'paused') await shelf.unloadAll()
  }

  return {
    done: done.promise,
    onEvent: (listener) => events.subscribe(listener),
    state: () => ({
      node,
      operator: signer.address,
      startedAtMs,
      uptimeMs: clock.nowMs() - startedAtMs,
      phase,
      pauseReason,
      slots: config.slots,
      ...shelf.getState(),
      eventLoopLag: lag.getState(),
      kinds: stats.getKinds(),
      crashedTasks: crashes.getState(),
      lastError: stats.getLastError(),
      nodeSetAgeMs: watch.ageMs(),
      coordinators: coordinators.getStates(),
    }),
    pause({ reason }) {
      if (phase !== 'running' && phase !== 'paused') return
      pauseReason = reason
      if (phase === 'paused') return
      phase = 'paused'
      events.emit({ type: 'minerPaused', reason, tasks: countTasks() })
      rest().catch((error: unknown) => logger.error({ err: error }, 'models could not be unloaded'))
    },
    resume() {
      if (phase !== 'paused') return
      phase = 'running'
      pauseReason = null
      events.emit({ type: 'minerResumed' })
      shelf.resume()
      coordinators.resume()
    },
    drain: ({ graceMs }) =>
      end(async () => {
        phase = 'draining'
        events.emit({ type: 'draining', graceMs, tasks: countTasks() })
        await Promise.race([coordinators.drain(graceMs), stopped.promise])
      }),
    async stop() {
      if (ending !== null) await stopNow()
      await end(stopNow)
    },
  }
}
