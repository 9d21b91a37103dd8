import type { LookupFunction } from 'node:net'
import { Pool } from 'undici'
import { apiKeyMissing, sessionInvalid } from '../errors/api.ts'
import { fromNetworkError, type WireAnswer } from './clientAnswer.ts'
import { type AnyInput, encodeRequest } from './clientRequest.ts'
import { createGuardedLookup, parseOutboundUrl } from './outboundGuard.ts'
import type { Route } from './route.ts'
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
  /** how hosts are resolved; default: the system's way, behind the guard */
  lookup?: LookupFunction
}

export interface CallOptions {
  signal?: AbortSignal
  headers?: Readonly<Record<string, string>>
  timeoutMs?: number
}

/** Sends requests of any route to one coordinator, on one pool of connections. */
export interface Transport {
  send(route: Route, input: AnyInput, call: CallOptions, streaming: boolean): Promise<WireAnswer>
  close(): Promise<void>
}

/** A body takes its time on top: 50 MiB have the two minutes that a server waits for a request, which is a line of 3.5 Mbit/s. */
const uploadBytesPerMs = 437

/** All events of a stream together; other answers are as large as their route says. */
const maxStreamBytes = 67_108_864

/** @throws CUCKOO_OUTBOUND_URL_INVALID, CUCKOO_OUTBOUND_REFUSED for a URL that may not be called */
export function createTransport(options: ClientOptions): Transport {
  const { timeoutMs = 30_000, allowPrivate = false } = options
  const base = parseOutboundUrl(options.url, { allowPrivate })
  const basePath = base.pathname.replace(/\/+$/, '')
  const shownUrl = `${base.origin}${basePath}`
  const lookup = options.lookup ?? (allowPrivate ? undefined : createGuardedLookup())
  const pool = new Pool(base.origin, {
    connect: { timeout: Math.min(timeoutMs, 10_000), ...(lookup === undefined ? {} : { lookup }) },
    maxResponseSize: maxStreamBytes,
  })

  async function send(route: Route, input: AnyInput, call: CallOptions, streaming: boolean): Promise<WireAnswer> {
    call.signal?.throwIfAborted()
    const { path, body, headers, waitMs } = encodeRequest(route, input)
    const limitMs = (call.timeoutMs ?? timeoutMs) + waitMs + Math.ceil(body.length / uploadBytesPerMs)
    const deadline = streaming ? undefined : AbortSignal.timeout(limitMs)
    const signal = call.signal && deadline ? AbortSignal.any([call.signal, deadline]) : (call.signal ?? deadline)
    const toError = (error: unknown) => {
      if (call.signal?.aborted) return call.signal.reason
      return fromNetworkError(error, { route, url: shownUrl, limitMs, maxResponseBytes: maxStreamBytes })
    }
    try {
      const response = await pool.request({
        method: route.method,
        path: `${basePath}${path}`,
        headers: { accept: streaming ? 'text/event-stream' : '*/*', ...headers, ...call.headers, ...authenticate(options, route, path, body) },
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
  return { send, close: () => pool.destroy() }
}

function authenticate({ apiKey, session }: ClientOptions, route: Route, path: string, body: Uint8Array): Record<string, string> {
  if (route.auth === 'app') {
    if (apiKey === undefined) throw apiKeyMissing({})
    return { authorization: `Bearer ${apiKey}` }
  }
  if (route.auth === 'none') return {}
  if (session === undefined) throw sessionInvalid({ reason: 'there is none yet' })
  return session.sign({ method: route.method, path, body })
}

function toHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]))
}
