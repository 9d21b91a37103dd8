/** The process under measurement: a coordinator (`coordinator <miners>`) or a bare fastify that echoes (`fastify`), on any free port. */
import { once } from 'node:events'
import { fastify } from 'fastify'
import { createCoordinatorRig, endCoordinatorRigs } from '../support/coordinatorRig.ts'

const [kind = '', miners = '0'] = process.argv.slice(2)

function report(message: object): void {
  process.send?.(message)
}

async function serveFastify(): Promise<() => Promise<void>> {
  const app = fastify()
  app.post('/', async (request) => ({ received: request.body }))
  report({ url: await app.listen({ port: 0, host: '127.0.0.1' }) })
  return () => app.close()
}

async function serveRig(): Promise<() => Promise<void>> {
  const rig = await createCoordinatorRig({
    miners: Array.from({ length: Number(miners) }, (_, index) => 21_000 + index * 100),
    config: { leaseMs: 60_000, heartbeatMs: 10_000, pollMs: 30_000, maxQueued: 100_000, requestTimeoutMs: 60_000 },
  })
  report({ url: rig.serving.url, apiKey: rig.apiKey })
  return endCoordinatorRigs
}

const stop = kind === 'fastify' ? await serveFastify() : await serveRig()
let cpu = process.cpuUsage()
process.on('message', (message) => {
  if (message !== 'measure') return
  const used = process.cpuUsage(cpu)
  cpu = process.cpuUsage()
  report({ cpuMs: (used.user + used.system) / 1000, rssMib: process.memoryUsage().rss / 2 ** 20 })
})
await once(process, 'disconnect')
await stop()
