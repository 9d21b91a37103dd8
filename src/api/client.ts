import type { LookupFunction } from 'node:net'
import { Pool } from 'undici'
import type { z } from 'zod'
import { apiKeyMissing, sessionInvalid } from '../errors/api.ts'
import { fromAnswer, fromNetworkError, readBody, readEvents, type WireAnswer } from './clientAnswer.ts'
import { type AnyInput, encodeRequest } from './clientRequest.ts'
import { createGuardedLookup, parseOutboundUrl } from './outboundGuard.ts'
import type { Route, RouteEvent, RouteInput, RouteOutput } from './route.ts'
import { type RouteId, type Routes, routes } from './routes/routes.ts'
import type { ClientSession } from './sessionHandshake.ts'

export interface ClientOptions {
  /** http(s) URL of the coordinator; http only with `allowPrivate` */
  url: string
  apiKey?: string
  /** signs the requests of routes with `auth: 'session'` */
  session?: ClientSession
  /** for a whole answer; what a request asks to wait (`waitMs`) comes on top. Streams: for the headers, and between two pieces. Default 30,000 */
  timeoutMs?: number
  /** lifts the guard against private addresses and plain http: devnet and `--allow-private` */
  allowPrivate?: boolean
  /** default 64 MiB */
  maxResponseBytes?: number
  /** how hosts are resolved; default: the system's way, behind the guard */
  lookup?: LookupFunction
}

export interface CallOptions {
  signal?: AbortSignal
  headers?: Readonly<Record<string, string>>
  timeoutMs?: number
}

/** zod's output of `z.object({})` is Record<string, never>. */
type IsEmpty<S extends z.ZodObject> = string extends keyof z.output<S> ? true : keyof z.output<S> extends never ? true : false
/** What a call of `R` takes: parameters and body as the handler sees them; query fields may be left out. */
export type ClientInput<R extends Route> = (IsEmpty<R['params']> extends true ? unknown : { params: z.output<R['params']> }) &
  (IsEmpty<R['query']> extends true ? unknown : { query?: Partial<z.output<R['query']>> }) &
  (R['body'] extends null ? unknown : { body: RouteInput<R>['body'] })

export type StreamRouteId = { [K in RouteId]: undefined extends RouteEvent<Routes[K]> ? never : K }[RouteId]
type Headers = Readonly<Record<string, string>>

export type Client = {
  /**
   * The decoded answer.
   * @throws what the coordinator answered, with its own code and hint
   * @throws CUCKOO_API_UNREACHABLE, CUCKOO_API_RESPONSE_INVALID, CUCKOO_OUTBOUND_REFUSED, or `options.signal`'s reason
   */
  [K in RouteId]: (input: ClientInput<Routes[K]>, options?: CallOptions) => Promise<RouteOutput<Routes[K]>>
} & {
  /** Events of the routes that stream, opened when they are first asked for. Leaving the loop closes the connection. */
  stream: { [K in StreamRouteId]: (input: ClientInput<Routes[K]>, options?: CallOptions) => AsyncIterable<RouteEvent<Routes[K]>> }
  /** Like the method of this name, with the answer's headers (`x-cuckoo-task`, `x-request-id`, …). */
  call<K extends RouteId>(
    id: K,
    input: ClientInput<Routes[K]>,
    options?: CallOptions,
  ): Promise<{ body: RouteOutput<Routes[K]>; headers: Headers; status: number }>
  /** Like `stream`, opened at once, with the answer's headers. Read the events, or leave them by `signal`. */
  open<K extends StreamRouteId>(
    id: K,
    input: ClientInput<Routes[K]>,
    options?: CallOptions,
  ): Promise<{ events: AsyncIterable<RouteEvent<Routes[K]>>; headers: Headers; status: number }>
  /** Cuts what is under way and closes all connections. */
  close(): Promise<void>
}

/**
 * A client of one coordinator, derived from the route values, on one pool of connections.
 * @throws CUCKOO_OUTBOUND_URL_INVALID, CUCKOO_OUTBOUND_REFUSED for a URL that may not be called
 * @example (await createClient({ url: 'http://127.0.0.1:8080', allowPrivate: true }).getHealth({})).status // 'ok'
 */
export function createClient(options: ClientOptions): Client {
  const { timeoutMs = 30_000, maxResponseBytes = 67_108_864, allowPrivate = false } = options
  const base = parseOutboundUrl(options.url, { allowPrivate })
  const basePath = base.pathname.replace(/\/+$/, '')
  const shownUrl = `${base.origin}${basePath}`
  const lookup = options.lookup ?? (allowPrivate ? undefined : createGuardedLookup())
  const pool = new Pool(base.origin, {
    connect: { timeout: Math.min(timeoutMs, 10_000), ...(lookup === undefined ? {} : { lookup }) },
    maxResponseSize: maxResponseBytes,
  })

  function authenticate(route: Route, path: string, body: Uint8Array): Record<string, string> {
    if (route.auth === 'app') {
      if (options.apiKey === undefined) throw apiKeyMissing({})
      return { authorization: `Bearer ${options.apiKey}` }
    }
    if (route.auth === 'none') return {}
    if (options.session === undefined) throw sessionInvalid({ reason: 'there is none yet' })
    return options.session.sign({ method: route.method, path, body })
  }

  async function send(route: Route, input: AnyInput, call: CallOptions, streaming: boolean): Promise<WireAnswer> {
    call.signal?.throwIfAborted()
    const { path, body, headers, waitMs } = encodeRequest(route, input)
    const limitMs = (call.timeoutMs ?? timeoutMs) + waitMs
    const deadline = streaming ? undefined : AbortSignal.timeout(limitMs)
    const signal = call.signal && deadline ? AbortSignal.any([call.signal, deadline]) : (call.signal ?? deadline)
    const toError = (error: unknown) => {
      if (call.signal?.aborted) return call.signal.reason
      return fromNetworkError(error, { route, url: shownUrl, limitMs, maxResponseBytes })
    }
    try {
      const response = await pool.request({
        method: route.method,
        path: `${basePath}${path}`,
        headers: { accept: streaming ? 'text/event-stream' : '*/*', ...headers, ...call.headers, ...authenticate(route, path, body) },
        body: body.length === 0 ? null : body,
        headersTimeout: limitMs,
        bodyTimeout: limitMs,
        ...(signal === undefined ? {} : { signal }),
      })
      return { route, status: response.statusCode, headers: toHeaders(response.headers), body: response.body, toError }
    } catch (error) {
      throw toError(error)
    }
  }

  async function callRoute(id: RouteId, input: AnyInput, call: CallOptions = {}) {
    const answer = await send(routes[id], input, call, false)
    return { body: await readBody(answer), headers: answer.headers, status: answer.status }
  }

  async function openRoute(id: RouteId, input: AnyInput, call: CallOptions = {}) {
    const answer = await send(routes[id], input, call, true)
    if (answer.status !== 200 || !answer.headers['content-type']?.startsWith('text/event-stream')) throw await fromAnswer(answer)
    return { events: readEvents(answer), headers: answer.headers, status: answer.status }
  }

  async function* streamRoute(id: RouteId, input: AnyInput, call?: CallOptions): AsyncGenerator<unknown> {
    yield* (await openRoute(id, input, call)).events
  }

  const ids = Object.keys(routes) as RouteId[]
  const methods = ids.map((id) => [id, async (input: AnyInput, call?: CallOptions) => (await callRoute(id, input, call)).body])
  const streams = ids.filter((id) => routes[id].events !== null).map((id) => [id, (input: AnyInput, call?: CallOptions) => streamRoute(id, input, call)])
  return {
    ...Object.fromEntries(methods),
    stream: Object.fromEntries(streams),
    call: callRoute,
    open: openRoute,
    close: () => pool.destroy(),
  } as unknown as Client
}

function toHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]))
}
