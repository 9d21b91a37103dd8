import type { Socket } from 'node:net'
import multipart from '@fastify/multipart'
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { bodyTooLarge, draining, requestInvalid, routeUnknown } from '../errors/api.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { toErrorBody, toRetryAfter } from './errorBody.ts'
import { Exchange } from './exchange.ts'
import type { Observation } from './handler.ts'

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
  /** of all large bodies that are read at once */
  maxUploadBytes: number
  /** of all large media that are sent at once: a reader that takes its time keeps one in memory */
  maxDownloadBytes: number
  maxJsonDepth: number
  /** between comments that keep an event stream alive */
  eventKeepAliveMs: number
}

export const defaultLimits: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 120_000,
  timeoutCheckMs: 2_000,
  stalledMs: 60_000,
  keepAliveMs: 72_000,
  maxConnections: 20_000,
  maxHeaderBytes: 16_384,
  maxUploadBytes: 536_870_912,
  maxDownloadBytes: 536_870_912,
  maxJsonDepth: 64,
  eventKeepAliveMs: 15_000,
}

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange
  }
}

export interface HttpAppOptions {
  limits: ServerLimits
  observe: ((observation: Observation) => void) | undefined
  /** logs it, notes its code on the exchange and gives back our form of it */
  reportError: (error: unknown, exchange: Exchange) => CuckooError
  /** true once the server takes no more requests */
  isClosing: () => boolean
}

/** fastify without routes, in our house rules: bodies come as bytes, every refusal is in OpenAI's shape, slow and broken callers are cut. */
export function createHttpApp({ limits, observe, reportError, isClosing }: HttpAppOptions): FastifyInstance {
  const startExchange = (request: FastifyRequest, reply: FastifyReply): void => {
    request.exchange = new Exchange(request.raw, reply.raw, observe)
    reply.header('x-request-id', request.exchange.requestId)
  }
  const sendError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (!request.raw.complete) letBodyDrain(request, reply)
    return sendErrorBody(reportError(fromFastifyError(thrown, request), request.exchange), request, reply)
  }
  const app = fastify({
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: limits.timeoutCheckMs, maxHeaderSize: limits.maxHeaderBytes },
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (cause, request, reply) => {
      startExchange(request, reply)
      sendError(
        requestInvalid({ where: 'path', problem: 'is not a URL of ours: it cannot be decoded, or a part of it is too long' }, { cause }),
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
  app.register(multipart)
  app.addHook('onRequest', (request, reply, done) => {
    startExchange(request, reply)
    if (isClosing()) done(draining({}))
    else if (request.is404) done(toRouteUnknown(request))
    else done()
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.raw.setTimeout(limits.stalledMs, () => reply.raw.destroy())
    if (isClosing()) reply.header('connection', 'close')
    done()
  })
  app.setErrorHandler(sendError)
  return app
}

function sendErrorBody(error: CuckooError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const retryAfter = toRetryAfter(error)
  if (retryAfter !== null) reply.header('retry-after', retryAfter)
  return reply
    .code(error.httpStatus)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(toErrorBody(error, request.exchange.requestId)))
}

function toRouteUnknown(request: FastifyRequest): CuckooError {
  const path = (request.raw.url as string).split('?', 1)[0] as string
  return routeUnknown({ method: request.method, path: path.slice(0, 200) })
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
