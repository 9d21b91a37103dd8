import { hash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Hash } from '../domain/hex.ts'
import type { AppRecord } from '../domain/storePorts.ts'
import { apiKeyInvalid, apiKeyMissing, bodyTooLarge, requestInvalid } from '../errors/api.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { internalError } from '../errors/internal.ts'
import type { BodyGauge } from './bodyGauge.ts'
import { toErrorBody } from './errorBody.ts'
import type { Exchange } from './exchange.ts'
import { readForm } from './readForm.ts'
import { assertMediaType, createInputDecoder, describeIssue, isForm, type JsonParser, type RawForm } from './requestInput.ts'
import type { Route } from './route.ts'
import type { Session, SessionRegistry } from './sessionRegistry.ts'
import { encodeEventStream } from './sse.ts'

/** A handler as the server calls it: which route it belongs to was checked when the table of handlers was typed. */
export type AnyHandler = (input: never, context: never) => Promise<AnyAnswer>
type AnyAnswer = { body?: unknown; events?: AsyncIterable<unknown>; headers?: Readonly<Record<string, string>>; status?: number }

export interface MountOptions {
  authenticateApp: (keyHash: Hash) => AppRecord | null | Promise<AppRecord | null>
  sessions: SessionRegistry
  uploads: BodyGauge
  downloads: BodyGauge
  parseJson: JsonParser
  maxJsonDepth: number
  eventKeepAliveMs: number
  stalledMs: number
  /** logs it, notes its code on the exchange and gives back our form of it */
  reportError: (error: unknown, exchange: Exchange) => CuckooError
}

const noBody = new Uint8Array()
/** Fields and boundaries beside the file of a form. */
const formOverheadBytes = 65_536

/** Mounts one route: who may call is checked before the body is read, the MAC and the schemas after, then the handler runs. */
export function mountRoute(app: FastifyInstance, route: Route, handler: AnyHandler, options: MountOptions): void {
  const decodeInput = createInputDecoder(route, options.parseJson, options.maxJsonDepth)
  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.maxBodyBytes,
    onRequest: async (request) => {
      request.exchange.routeId = route.id as Exchange['routeId']
      if (route.auth === 'app') request.exchange.app = await findApp(request, options)
      else if (route.auth === 'session') request.exchange.session = options.sessions.admit(request.headers)
      assertMediaType(route, request.headers)
      enterUpload(request, route, options.uploads)
    },
    handler: async (request, reply) => {
      const body = await readRequestBody(request, route, options.sessions)
      const input = decodeInput({ params: request.params, query: request.query, body })
      const answer = await handler(input as never, request.exchange as never)
      for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value)
      if (answer.events !== undefined) return sendEvents(route, answer.events, request, reply, options)
      if (answer.body instanceof Uint8Array) request.exchange.onEnd(options.downloads.enter(answer.body.length))
      return sendBody(route, answer, reply)
    },
  })
}

/** @throws CUCKOO_API_UPLOADS_FULL; CUCKOO_API_BODY_TOO_LARGE for a form, whose length fastify does not look at */
function enterUpload(request: FastifyRequest, route: Route, uploads: BodyGauge): void {
  const length = Number(request.headers['content-length'] ?? (request.headers['transfer-encoding'] === undefined ? 0 : route.maxBodyBytes))
  if (isForm(route.body) && length > route.maxBodyBytes + formOverheadBytes) throw bodyTooLarge({ maximumBytes: route.maxBodyBytes })
  request.exchange.onEnd(uploads.enter(Math.min(length, route.maxBodyBytes)))
}

async function readRequestBody(request: FastifyRequest, route: Route, sessions: SessionRegistry): Promise<Uint8Array | RawForm> {
  if (isForm(route.body)) {
    if (!request.isMultipart()) throw requestInvalid({ where: 'body', problem: 'is missing' })
    return readForm(request, route.body, route.maxBodyBytes)
  }
  const body = (request.body as Uint8Array | undefined) ?? noBody
  if (route.auth === 'session') verifySession(request, body, sessions)
  return body
}

async function findApp(request: FastifyRequest, { authenticateApp }: MountOptions): Promise<AppRecord> {
  const key = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (key === undefined) throw apiKeyMissing({})
  const app = await authenticateApp(`0x${hash('sha256', key, 'hex')}`)
  // Enough of a key to know it by, never enough to use it.
  if (app === null) throw apiKeyInvalid({ prefix: key.replace(/[^A-Za-z0-9_-]/g, '').slice(0, Math.min(8, key.length >> 1)) })
  return app
}

function verifySession(request: FastifyRequest, body: Uint8Array, sessions: SessionRegistry): void {
  const session = request.exchange.session as Session
  sessions.verify(session, { method: request.method, path: request.raw.url as string, headers: request.headers, body })
  request.exchange.enterSession(sessions, session)
}

function sendBody(route: Route, answer: AnyAnswer, reply: FastifyReply): FastifyReply {
  reply.code(answer.status ?? 200)
  if (route.response === 'text' || route.response === 'bytes') {
    const { body } = answer
    const isText = route.response === 'text'
    if (isText ? typeof body !== 'string' : !(body instanceof Uint8Array)) throw internalError({ reason: `the answer of ${route.id} is not ${route.response}` })
    if (!reply.hasHeader('content-type')) reply.type(isText ? 'text/plain; charset=utf-8' : 'application/octet-stream')
    return reply.send(isText ? body : toBuffer(body as Uint8Array))
  }
  const json = encodeJson(route, route.response, answer.body)
  if (route.plainText && typeof answer.body === 'string') return reply.type('text/plain; charset=utf-8').send(answer.body)
  return reply.type('application/json; charset=utf-8').send(json)
}

/** The same bytes, not a copy. */
function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function encodeJson(route: Route, schema: z.ZodType, value: unknown): string {
  const result = z.safeEncode(schema, value as never)
  if (!result.success) {
    const { path, problem } = describeIssue(result.error)
    throw internalError({ reason: `the answer of ${route.id} breaks its own schema at '${path.join('.')}': ${problem}` }, { cause: result.error })
  }
  return JSON.stringify(result.data)
}

async function sendEvents(route: Route, events: AsyncIterable<unknown>, request: FastifyRequest, reply: FastifyReply, options: MountOptions): Promise<void> {
  const { exchange } = request
  const schema = route.events
  if (schema === null) throw internalError({ reason: `the handler of ${route.id} streams, the route does not` })
  exchange.streamed = true
  reply.hijack()
  // X-Accel-Buffering: nginx would collect the events otherwise.
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  reply.raw.setTimeout(options.stalledMs, () => reply.raw.destroy())
  reply.raw.flushHeaders()
  const text = encodeEventStream(events, {
    encodeEvent: (event) => encodeJson(route, schema, event),
    encodeError: (error) => JSON.stringify(toErrorBody(options.reportError(error, exchange), exchange.requestId)),
    doneMarker: route.doneMarker,
    keepAliveMs: options.eventKeepAliveMs,
    signal: exchange.signal,
  })
  // The only error left is that the caller went away; encodeEventStream has told `events` by then.
  await pipeline(text, reply.raw).catch(() => reply.raw.destroy())
}
