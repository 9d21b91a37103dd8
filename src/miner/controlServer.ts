import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { BodyGauge } from '../api/bodyGauge.ts'
import { controlPathFile } from '../api/controlClient.ts'
import { createHttpApp, defaultLimits } from '../api/httpApp.ts'
import { type AnyHandler, mountRoute } from '../api/mountRoute.ts'
import type { Route } from '../api/route.ts'
import { controlRoutes, operationRoutes } from '../api/routes/control.ts'
import { createSessionRegistry } from '../api/sessionRegistry.ts'
import type { Clock } from '../domain/ports.ts'
import { downloadsFull, uploadsFull } from '../errors/api.ts'
import { metricsListenFailed } from '../errors/control.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ControlHandlers } from './controlHandlers.ts'

export interface ControlServerOptions {
  /** folder of this miner, which this process owns: the socket lies in it, or the file that says where it lies */
  folder: string
  /** where health and metrics are served besides; null: nowhere */
  metricsListen: { host: string; port: number } | null
  handlers: ControlHandlers
  logger: Logger
  clock: Clock
}

export interface ControlServer {
  /** URL of health and metrics; null: not served */
  readonly metricsUrl: string | null
  close(): Promise<void>
}

/** sun_path has 104 bytes on macOS and the BSDs, the last of which is 0 (unix(4)); Linux has 108. */
const maxSocketPathBytes = 103

/**
 * Listens for `cuckoo miner status`, `pause`, `resume` and `drain` at a socket that only this user may open.
 * @throws CUCKOO_CONTROL_METRICS_LISTEN_FAILED
 */
export async function openControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const control = createApp(controlRoutes, options)
  const operations = options.metricsListen === null ? null : createApp(operationRoutes, options)
  const pathFile = join(options.folder, controlPathFile)
  const { path, folder } = await createEndpoint(options.folder)
  const close = async () => {
    await rm(pathFile, { force: true })
    for (const app of [control, operations]) {
      app?.server.closeAllConnections()
      await app?.close()
    }
    if (folder !== null) await rm(folder, { recursive: true, force: true })
  }
  try {
    const metricsUrl = operations === null || options.metricsListen === null ? null : await listen(operations, options.metricsListen)
    await control.listen({ path })
    if (process.platform !== 'win32') await chmod(path, 0o600)
    await writeFile(pathFile, path, { mode: 0o600 })
    return { metricsUrl, close }
  } catch (error) {
    await close()
    throw error
  }
}

function createApp(routes: Readonly<Record<string, Route>>, { handlers, logger, clock }: ControlServerOptions) {
  const reportError = (thrown: unknown) => {
    const error = toCuckooError(thrown)
    if (error.kind === 'internal') logger.error({ err: error }, error.message)
    return error
  }
  const app = createHttpApp({ limits: defaultLimits, observe: undefined, reportError, isClosing: () => false })
  const options = {
    ...defaultLimits,
    reportError,
    // Nobody has a key or a session here: whoever opens the socket is this user.
    authenticateApp: () => null,
    sessions: createSessionRegistry({ clock }),
    uploads: new BodyGauge(defaultLimits.maxUploadBytes, uploadsFull),
    downloads: new BodyGauge(defaultLimits.maxDownloadBytes, downloadsFull),
    parseJson: JSON.parse,
  }
  for (const [id, route] of Object.entries(routes)) mountRoute(app, route, handlers[id as keyof ControlHandlers] as AnyHandler, options)
  return app
}

/** Where to listen; a folder that is not the miner's own is to be removed afterwards. */
async function createEndpoint(minerFolder: string): Promise<{ path: string; folder: string | null }> {
  if (process.platform === 'win32') return { path: `\\\\.\\pipe\\cuckoo-miner-${randomUUID()}`, folder: null }
  const near = join(minerFolder, 'control.sock')
  if (Buffer.byteLength(near) <= maxSocketPathBytes) {
    // Of a miner that was killed: this process owns the folder.
    await rm(near, { force: true })
    return { path: near, folder: null }
  }
  const path = join(await mkdtemp(join(tmpdir(), 'cuckoo-')), 'control.sock')
  return { path, folder: dirname(path) }
}

async function listen(app: ReturnType<typeof createApp>, { host, port }: { host: string; port: number }): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    throw metricsListenFailed({ host, port, reason: (cause as NodeJS.ErrnoException).code ?? String(cause) }, { cause })
  }
  const { address, family, port: bound } = app.server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`
}
