import type { z } from 'zod'
import { fromAnswer, readBody, readEvents } from './clientAnswer.ts'
import type { AnyInput } from './clientRequest.ts'
import { type CallOptions, type ClientOptions, createTransport } from './clientTransport.ts'
import type { Route, RouteEvent, RouteInput, RouteOutput } from './route.ts'
import { type RouteId, type Routes, routes } from './routes/routes.ts'

export type { CallOptions, ClientOptions } from './clientTransport.ts'

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
  const { send, close } = createTransport(options)

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
    close,
  } as unknown as Client
}
