import type { Handlers } from '../api/handler.ts'
import { draining, notReady } from '../errors/api.ts'
import type { Coordinator } from './coordinator.ts'

/** Health, readiness with its reasons, and metrics. */
export function createOperationsHandlers(coordinator: Coordinator): Pick<Handlers, 'getHealth' | 'getReadiness' | 'getMetrics'> {
  const { ports, standing, miners, catalogue } = coordinator
  return {
    getHealth: async () => ({ body: { status: 'ok', version: ports.version } }),
    async getReadiness() {
      if (coordinator.isDraining) throw draining({})
      const closed = coordinator.findClosedReason()
      if (closed !== null) throw notReady({ reason: closed })
      const { maxAgeMs } = ports.config.nodeSet
      const nodeSetAgeMs = Math.round(standing.ageMs)
      if (nodeSetAgeMs > maxAgeMs) throw notReady({ reason: `the node set was last read ${nodeSetAgeMs} ms ago, at most ${maxAgeMs} ms are allowed` })
      const models = catalogue.list().filter((model) => miners.countOffering(model.digest) > 0)
      return {
        body: {
          status: 'ready',
          coordinator: ports.node,
          chainId: ports.chain.deployment.chainId,
          nodeSetAgeMs,
          miners: miners.size,
          models: models.map((model) => model.manifest.model),
        },
      }
    },
    async getMetrics() {
      await updateGauges(coordinator)
      return { body: await ports.metrics.registry.metrics() }
    },
  }
}

async function updateGauges({ ports: { metrics, store }, board, miners, standing }: Coordinator): Promise<void> {
  metrics.tasksQueued.set(board.queued)
  metrics.tasksRunning.set(board.running)
  metrics.minersWaiting.set(miners.waiting)
  metrics.sessionsOpen.set(miners.size)
  metrics.nodeSetAgeSeconds.set(standing.ageMs / 1000)
  const { usedBytes, mediaBytes, freeBytes } = await store.getSpace()
  metrics.storeBytes.set(usedBytes)
  metrics.storeMediaBytes.set(mediaBytes)
  metrics.storeFreeBytes.set(freeBytes)
}
