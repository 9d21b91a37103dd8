import type { AddressInfo } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Hash } from '../domain/hex.ts'
import type { AppRecord } from '../domain/storePorts.ts'
import { downloadsFull, draining, uploadsFull } from '../errors/api.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import { listenFailed, portInUse } from '../errors/server.ts'
import { BodyGauge } from './bodyGauge.ts'
import type { Exchange } from './exchange.ts'
import type { ApiLogger, Handlers, Observation } from './handler.ts'
import { createHttpApp, defaultLimits, type ServerLimits } from './httpApp.ts'
import { type AnyHandler, mountRoute } from './mountRoute.ts'
import { createOpenApi } from './openApi.ts'
import type { Route } from './route.ts'
import { routes } from './routes/routes.ts'
import type { SessionRegistry } from './sessionRegistry.ts'

export interface ServerOptions {
  handlers: Handlers
  /** the app whose key has this SHA-256, or null when unknown or revoked */
  authenticateApp: (keyHash: Hash) => AppRecord | null | Promise<AppRecord | null>
  sessions: SessionRegistry
  logger: ApiLogger
  observe?: (observation: Observation) => void
  limits?: Partial<ServerLimits>
}

export interface Server {
  /**
   * Listens, on loopback unless told. Port 0 takes a free one.
   * @throws CUCKOO_SERVER_PORT_IN_USE, CUCKOO_SERVER_LISTEN_FAILED
   */
  listen(address: { host?: string; port: number }): Promise<{ url: string; host: string; port: number }>
  /** Refuses new requests, lets those under way end for `graceMs`, then cuts the rest. */
  close(options: { graceMs: number }): Promise<void>
}

/**
 * The coordinator's HTTP server with every route of routes.ts mounted on its handler. It answers in OpenAI's error shape whatever happens, and sends no
 * CORS header: browsers may not call it.
 */
export function createServer(options: ServerOptions): Server {
  const limits = { ...defaultLimits, ...options.limits }
  const reportError = (error: unknown, exchange: Exchange) => reportErrorTo(options.logger, error, exchange)
  let closing = false
  const app = createHttpApp({ limits, observe: options.observe, reportError, isClosing: () => closing })
  const gauges = { uploads: new BodyGauge(limits.maxUploadBytes, uploadsFull), downloads: new BodyGauge(limits.maxDownloadBytes, downloadsFull) }
  const mountOptions = { ...options, ...limits, ...gauges, reportError, parseJson: createJsonParser(app) }
  const handlers: Record<string, AnyHandler> = { ...options.handlers, getOpenApi: createOpenApiHandler() }
  for (const route of Object.values<Route>(routes)) mountRoute(app, route, handlers[route.id] as AnyHandler, mountOptions)

  return {
    async listen({ host = '127.0.0.1', port }) {
      try {
        await app.listen({ host, port })
      } catch (cause) {
        const code = (cause as NodeJS.ErrnoException).code
        if (code === 'EADDRINUSE') throw portInUse({ host, port }, { cause })
        throw listenFailed({ host, port, reason: code ?? String(cause) }, { cause })
      }
      const bound = app.server.address() as AddressInfo
      return { url: `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`, host: bound.address, port: bound.port }
    },
    async close({ graceMs }) {
      closing = true
      const closed = app.close()
      const force = setTimeout(() => app.server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(force)
    },
  }
}

function reportErrorTo(logger: ApiLogger, thrown: unknown, exchange: Exchange): CuckooError {
  const error = toCuckooError(thrown)
  // What a handler throws because nobody waits any more is no fault.
  if (exchange.callerGone) return error
  exchange.errorCode = error.code
  const facts = { requestId: exchange.requestId, route: exchange.routeId, code: error.code }
  if (error.kind === 'internal' || error.kind === 'config') logger.error({ ...facts, err: error }, error.message)
  // Somebody asked for the drain: that others are sent away is no news.
  else if (error.kind === 'unavailable' && error.code !== draining.code) logger.warn(facts, error.message)
  else logger.debug(facts, error.message)
  return error
}

function createOpenApiHandler(): AnyHandler {
  let document: object | undefined
  return async () => {
    document ??= createOpenApi()
    return { body: document }
  }
}

/** fastify's own parser: secure-json-parse, without `__proto__` and `constructor.prototype` keys. */
function createJsonParser(app: FastifyInstance): (text: string) => unknown {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (text) => {
    let outcome: { error: Error | null; value?: unknown } | undefined
    parse({} as FastifyRequest, text, (error, value) => {
      outcome = { error, value }
    })
    if (outcome?.error != null) throw outcome.error
    return outcome?.value
  }
}
