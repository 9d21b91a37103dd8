import type { z } from 'zod'
import type { ErrorFactory } from '../errors/cuckooError.ts'

/** Who may call: anyone, an app with an API key, a miner in a session. */
export type RouteAuth = 'none' | 'app' | 'session'

/**
 * An endpoint, written once: the server, the client, the OpenAPI document and the route test derive from this value.
 * Schemas describe the wire; codecs in them (see wire.ts) turn decimal strings into bigint on both sides.
 */
export interface Route {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** with `:name` parameters */
  readonly path: string
  readonly auth: RouteAuth
  readonly summary: string
  readonly params: z.ZodObject
  readonly query: z.ZodObject
  /** JSON body; null: none. 'bytes': raw application/octet-stream */
  readonly body: z.ZodType | 'bytes' | null
  readonly maxBodyBytes: number
  /** 'text': text/plain, 'bytes': application/octet-stream */
  readonly response: z.ZodType | 'text' | 'bytes'
  /** what one server-sent event's JSON data holds; null: the route never streams */
  readonly events: z.ZodType | null
  /** ends an SSE stream with OpenAI's `data: [DONE]` */
  readonly doneMarker: boolean
  /** errors of its own, beside those every route can give (bad request, auth, too large, internal) */
  readonly errors: readonly ErrorFactory<never>[]
}

export type Infer<S> = S extends z.ZodType ? z.output<S> : S extends 'text' ? string : S extends 'bytes' ? Uint8Array : undefined

/** What a handler of `R` is called with, everything decoded. */
export interface RouteInput<R extends Route> {
  params: z.output<R['params']>
  query: z.output<R['query']>
  body: Infer<R['body']>
}
export type RouteOutput<R extends Route> = Infer<R['response']>
export type RouteEvent<R extends Route> = Infer<R['events']>
