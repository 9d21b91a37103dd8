import type { z } from 'zod'
import type { ErrorFactory } from '../errors/cuckooError.ts'

/** Who may call: anyone, an app with an API key, a miner in a session. */
export type RouteAuth = 'none' | 'app' | 'session'

export const formType = 'multipart/form-data'

/** A multipart/form-data body: fields beside exactly one file. A field `name[]` may come several times and becomes the array `name`. */
export interface FormBody {
  /** name of the file's part */
  readonly file: string
  /** all values are strings, or arrays of strings */
  readonly fields: z.ZodObject
}

/** What a handler sees of a {@link FormBody}. */
export type FormInput<F extends FormBody> = { fields: z.output<F['fields']>; file: Uint8Array }

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
  /** JSON body; null: none. 'bytes': raw application/octet-stream; 'media': raw bytes whatever content type they come with */
  readonly body: z.ZodType | 'bytes' | 'media' | FormBody | null
  readonly maxBodyBytes: number
  /** of a whole answer that is no stream: a client reads no further. JSON of so many bytes may hold an object, array or string for every 32 of them */
  readonly maxResponseBytes: number
  /** 'text': text/plain, 'bytes': application/octet-stream, or one of `responseTypes` that the handler names */
  readonly response: z.ZodType | 'text' | 'bytes'
  /** media types of a 'bytes' answer */
  readonly responseTypes: readonly string[]
  /** an answer that is a string goes as text/plain, not as JSON */
  readonly plainText: boolean
  /** what one server-sent event's JSON data holds; null: the route never streams */
  readonly events: z.ZodType | null
  /** ends an SSE stream with OpenAI's `data: [DONE]` */
  readonly doneMarker: boolean
  /** errors of its own, beside those every route can give (bad request, auth, too large, internal) */
  readonly errors: readonly ErrorFactory<never>[]
}

export type Infer<S> = S extends z.ZodType
  ? z.output<S>
  : S extends 'text'
    ? string
    : S extends 'bytes' | 'media'
      ? Uint8Array
      : S extends FormBody
        ? FormInput<S>
        : undefined

/** What a handler of `R` is called with, everything decoded. */
export interface RouteInput<R extends Route> {
  params: z.output<R['params']>
  query: z.output<R['query']>
  body: Infer<R['body']>
}
export type RouteOutput<R extends Route> = Infer<R['response']>
export type RouteEvent<R extends Route> = Infer<R['events']>
