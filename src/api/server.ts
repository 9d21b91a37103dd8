import type { AddressInfo, Socket } from 'node:net'
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { Hash } from '../domain/hex.ts'
import type { AppRecord } from '../domain/ports.ts'
import { bodyTooLarge, draining, requestInvalid, routeUnknown } from '../errors/api.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import { listenFailed, portInUse } from '../errors/server.ts'
import { toErrorBody, toRetryAfter } from './errorBody.ts'
import { Exchange } from './exchange.ts'
import type { ApiLogger, Handlers, Observation } from './handler.ts'
import { type AnyHandler, mountRoute } from './mountRoute.ts'
import { createOpenApi } from './openApi.ts'
import type { Route } from './route.ts'
import { routes } from './routes/routes.ts'
import type { SessionRegistry } from './sessionRegistry.ts'

export interface ServerLimits {
  /** for the headers of a request, from its first byte or the opening of the connection */
  headersTimeoutMs: number
  /** for a whole request with its body; waiting for the answer does not count */
  requestTimeoutMs: number
  /** how often both are looked at */
  timeoutCheckMs: number
  /** for a caller that does not take its answer */
  stalledMs: number
  /** for a connection without a request */
  keepAliveMs: number
  maxConnections: number
  maxHeaderBytes: number
  maxJsonDepth: number
  /** between comments that keep an event stream alive */
  eventKeepAliveMs: number
}

const defaultLimits: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 120_000,
  timeoutCheckMs: 2_000,
  stalledMs: 60_000,
  keepAliveMs: 72_000,
  maxConnections: 20_000,
  maxHeaderBytes: 16_384,
  maxJsonDepth: 64,
  eventKeepAliveMs: 15_000,
}

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
  const { logger } = options
  let closing = false

  const reportError = (thrown: unknown, exchange: Exchange): CuckooError => {
    const error = toCuckooError(thrown)
    // What a handler throws because nobody waits any more is no fault.
    if (exchange.callerGone) return error
    exchange.errorCode = error.code
    const facts = { requestId: exchange.requestId, route: exchange.routeId, code: error.code, err: error }
    if (error.kind === 'internal' || error.kind === 'config') logger.error(facts, error.message)
    else if (error.kind === 'unavailable') logger.warn({ ...facts, err: undefined }, error.message)
    else logger.debug({ ...facts, err: undefined }, error.message)
    return error
  }

  const sendError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = reportError(fromFastifyError(thrown, request), request.exchange)
    const retryAfter = toRetryAfter(error)
    if (retryAfter !== null) reply.header('retry-after', retryAfter)
    if (!request.raw.complete) letBodyDrain(request, reply)
    return reply
      .code(error.httpStatus)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(toErrorBody(error, request.exchange.requestId)))
  }

  const startExchange = (request: FastifyRequest, reply: FastifyReply): void => {
    request.exchange = new Exchange(request.raw, reply.raw, options.observe)
    reply.header('x-request-id', request.exchange.requestId)
  }

  const app = fastify({
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: limits.timeoutCheckMs, maxHeaderSize: limits.maxHeaderBytes },
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => {
      startExchange(request, reply)
      sendError(
        requestInvalid({ where: 'path', problem: 'is not a URL of ours: it cannot be decoded, or a part of it is too long' }, { cause: error }),
        request,
        reply,
      )
    },
    clientErrorHandler: answerBrokenRequest,
  })
  app.server.maxConnections = limits.maxConnections
  app.decorateRequest('exchange')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', (request, reply, done) => {
    startExchange(request, reply)
    if (closing) done(draining({}))
    else if (request.is404) done(routeUnknown({ method: request.method, path: toPath(request) }))
    else done()
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.raw.setTimeout(limits.stalledMs, () => reply.raw.destroy())
    if (closing) reply.header('connection', 'close')
    done()
  })
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((request) => {
    throw routeUnknown({ method: request.method, path: toPath(request) })
  })

  const mountOptions = { ...options, ...limits, reportError, parseJson: createJsonParser(app) }
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

function toPath(request: FastifyRequest): string {
  return (request.raw.url as string).split('?', 1)[0]?.slice(0, 200) as string
}

function fromFastifyError(thrown: unknown, request: FastifyRequest): unknown {
  if (thrown instanceof CuckooError) return thrown
  const { code } = thrown as FastifyError
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge({ maximumBytes: request.routeOptions.bodyLimit ?? 0 }, { cause: thrown })
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return requestInvalid({ where: 'header content-type', problem: 'is not a media type' }, { cause: thrown })
  // The connection broke, or the body was shorter than its content-length said: nobody is left to read this.
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH' || code === 'ECONNRESET')
    return requestInvalid({ where: 'body', problem: 'ended early' }, { cause: thrown })
  return thrown
}

/** Time in ms for a caller to notice a refusal while it still sends. */
const lingerMs = 2_000

/**
 * A refused body is read on and thrown away for a moment: closing at once would reset the connection, and the refusal could be lost on its way
 * (RFC 9112, section 9.6). fastify's `connection: close` would make node do just that.
 */
function letBodyDrain(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request
  reply.removeHeader('connection')
  raw.resume()
  const cut = setTimeout(() => raw.socket.destroy(), lingerMs)
  raw.once('close', () => clearTimeout(cut))
  raw.once('end', () => clearTimeout(cut))
}

/** Bytes that are no HTTP request, or come too slowly: a short answer in our shape, then the end of the connection. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, problem] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? (['408 Request Timeout', 'came too slowly'] as const)
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? (['431 Request Header Fields Too Large', 'has headers that are too large'] as const)
        : (['400 Bad Request', 'is not HTTP'] as const)
  const body = JSON.stringify(toErrorBody(requestInvalid({ where: 'request', problem }), ''))
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${body.length}\r\n\r\n`
  // Ending alone would leave the socket open for as long as the other side likes.
  socket.end(head + body, () => socket.destroy())
}
