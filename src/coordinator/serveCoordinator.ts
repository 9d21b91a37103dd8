import type { Observation } from '../api/handler.ts'
import { createServer, type Server } from '../api/server.ts'
import { createSessionRegistry, type SessionRegistry } from '../api/sessionRegistry.ts'
import { createChainClock } from '../domain/chainTime.ts'
import { draining } from '../errors/api.ts'
import { coordinatorIneligible } from '../errors/coordinator.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { CoordinatorMetrics } from '../telemetry/metrics.ts'
import { Catalogue } from './catalogue.ts'
import { assertKeptLongEnough } from './contentSweep.ts'
import { Coordinator } from './coordinator.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import { DrawLog } from './drawLog.ts'
import { Epochs } from './epochs.ts'
import { createMediaHandlers } from './mediaHandlers.ts'
import { createMinerHandlers } from './minerHandlers.ts'
import { findRefusal } from './nodeStanding.ts'
import { createOpenAiHandlers } from './openaiHandlers.ts'
import { createOperationsHandlers } from './operationsHandlers.ts'
import { createTaskHandlers } from './taskHandlers.ts'

/** A coordinator that serves. */
export interface ServingCoordinator {
  readonly url: string
  /** Takes no new tasks, waits up to `graceMs` for those that miners hold, then closes. Tasks that wait stay in the store. */
  drain(): Promise<void>
  /** Closes at once; what miners hold waits out its lease in the store. */
  close(): Promise<void>
}

const sweepMs = 250

/**
 * Starts a coordinator: reads the node set, takes up the store's open tasks and listens. It owns the store and the tokenizers
 * from then on, and closes them at its end.
 * @throws CUCKOO_COORDINATOR_KEEP_TOO_SHORT when contents would go while a dispute may need them
 * @throws CUCKOO_COORDINATOR_INELIGIBLE when the node may not coordinate, or its operator on chain is another key
 * @throws CUCKOO_CHAIN_WALLET_TOO_LOW when its operator has no CAI for gas
 * @throws CUCKOO_SERVER_PORT_IN_USE, CUCKOO_SERVER_LISTEN_FAILED
 */
export async function serveCoordinator(ports: CoordinatorPorts): Promise<ServingCoordinator> {
  const { chain, store, logger } = ports
  const { pollMs, confirmations } = ports.config.nodeSet
  const onError = (error: unknown) => logger.warn({ err: toCuckooError(error) }, 'the node set could not be read again')
  const parameters = await chain.getParameters()
  assertKeptLongEnough(ports.config, parameters)
  const watch = await chain.watchNodes({ pollMs, confirmations, onError })
  try {
    const chainClock = createChainClock(ports.clock, () => watch.current().blockTimestamp)
    const epochs = new Epochs(ports, { clock: chainClock, drawSeconds: parameters.drawSeconds, onReady: () => coordinator.dispatcher.dispatchAll() })
    await assertEligible(ports, epochs)
    const [catalogue, drawLog] = await Promise.all([Catalogue.load(ports), DrawLog.load(store), epochs.start()])
    const coordinator = new Coordinator(ports, { catalogue, drawLog, epochs, watch, chainClock })
    await coordinator.loadOpenTasks()
    // The set may be behind what was found out about the own node just now.
    await coordinator.standing.waitFor(ports.node, 'coordinator', 2 * pollMs + 1_000)
    return await listen(coordinator)
  } catch (error) {
    await watch.stop()
    throw error
  }
}

async function assertEligible({ chain, node, signer }: CoordinatorPorts, epochs: Epochs): Promise<void> {
  let record = await chain.getNode(node)
  if (record.suspended) {
    await epochs.revealEnded()
    record = await chain.getNode(node)
  }
  const refusal = findRefusal(record, 'coordinator')
  if (refusal !== null) throw coordinatorIneligible({ node, reason: refusal })
  if (record.operator !== signer.address)
    throw coordinatorIneligible({ node, reason: `its operator on chain is ${record.operator}, this key is ${signer.address}` })
}

async function listen(coordinator: Coordinator): Promise<ServingCoordinator> {
  const { ports } = coordinator
  const { clock, config, store, logger, metrics } = ports
  const sessions = createSessionRegistry({
    clock,
    silenceMs: 4 * config.heartbeatMs,
    onEnd(session, reason) {
      coordinator.miners.end(session, 'your session has ended')
      // A miner that fell silent may come back with its result while the lease lasts; one that said goodbye will not.
      if (reason === 'closed') coordinator.attempts.giveUpLeases(session.node)
    },
  })
  const server = createServer({
    handlers: {
      ...createOpenAiHandlers(coordinator),
      ...createMediaHandlers(coordinator),
      ...createTaskHandlers(coordinator),
      ...createMinerHandlers(coordinator, sessions),
      ...createOperationsHandlers(coordinator),
    },
    authenticateApp: async (keyHash) => {
      const app = await store.findAppByKeyHash(keyHash)
      return app === null || app.revokedAt !== null ? null : app
    },
    sessions,
    logger,
    observe: (observation) => observeRequest(metrics, observation),
  })
  const sweep = setInterval(() => runSweep(coordinator, sessions), sweepMs)
  const upkeep = setInterval(
    () => void Promise.all([coordinator.epochs.update(), coordinator.lines.update(), coordinator.sweep.update()]),
    config.nodeSet.pollMs,
  )
  const stopTimers = () => {
    clearInterval(sweep)
    clearInterval(upkeep)
  }
  try {
    const { url } = await server.listen({ host: config.host, port: config.port })
    logger.info({ url, node: ports.node, openTasks: coordinator.board.queued + coordinator.board.running }, 'the coordinator serves')
    return createHandle(coordinator, server, stopTimers, url)
  } catch (error) {
    stopTimers()
    throw error
  }
}

function runSweep(coordinator: Coordinator, sessions: SessionRegistry): void {
  coordinator.attempts.expireLeases()
  sessions.list()
}

function observeRequest(metrics: CoordinatorMetrics, { routeId, status, durationMs, streamed }: Observation): void {
  if (routeId === null || routeId === 'pollTask' || streamed) return
  metrics.requestSeconds.observe({ route: routeId, status: String(status) }, durationMs / 1000)
}

function createHandle(coordinator: Coordinator, server: Server, stopTimers: () => void, url: string): ServingCoordinator {
  const { ports, board, miners, dispatcher, catalogue, standing, epochs, lines, sweep } = coordinator
  const stop = async (graceMs: number): Promise<void> => {
    coordinator.isDraining = true
    dispatcher.stop()
    miners.closePolls(draining({}))
    board.stopWaiting('queued')
    await waitUntilIdle(coordinator, graceMs)
    stopTimers()
    board.stopWaiting('all')
    // Answers that are being written get a moment; what is cut after it has its state in the store.
    await server.close({ graceMs: 1_000 })
    await Promise.all([epochs.close(), lines.close(), sweep.close()])
    await standing.close()
    await catalogue.close()
    await ports.tokenizers.dispose()
    await ports.store.close()
    ports.logger.info({ queued: board.queued, running: board.running }, 'the coordinator has stopped; open tasks stay in the store')
  }
  let stopping: Promise<void> | undefined
  return {
    url,
    drain: () => (stopping ??= stop(ports.config.graceMs)),
    close: () => (stopping ??= stop(0)),
  }
}

async function waitUntilIdle({ board }: Coordinator, graceMs: number): Promise<void> {
  const until = performance.now() + graceMs
  while (board.running > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
}
