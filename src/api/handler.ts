import type { AppRecord } from '../domain/storePorts.ts'
import type { Route, RouteEvent, RouteInput, RouteOutput } from './route.ts'
import type * as minerRoutes from './routes/miner.ts'
import type { Routes } from './routes/routes.ts'
import type { Session } from './sessionRegistry.ts'

/** What a handler knows about the request beside its decoded input. */
export interface RequestContext {
  /** the caller's `x-request-id`, or one made here; goes back in the answer's header and through every hop */
  readonly requestId: string
  /** names in lower case */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** aborted when the caller goes away before its answer is complete, and when the server is closed by force */
  readonly signal: AbortSignal
  /** unix ms */
  readonly receivedAtMs: number
}

/** The context a handler of `R` gets: with the app or the miner's session, as the route's `auth` says. */
export type ContextOf<R extends Route> = RequestContext &
  (R['auth'] extends 'app' ? { readonly app: AppRecord } : R['auth'] extends 'session' ? { readonly session: Session } : unknown)

interface BodyAnswer<R extends Route> {
  body: RouteOutput<R>
  headers?: Readonly<Record<string, string>>
  /** 200 unless said */
  status?: number
}

interface EventsAnswer<R extends Route> {
  /** server-sent events; an error thrown in between becomes a last, coded error event */
  events: AsyncIterable<RouteEvent<R>>
  headers?: Readonly<Record<string, string>>
}

/** What a handler gives back: a body, or on routes that stream, events. Both are checked against the route's schema. */
export type Answer<R extends Route> = undefined extends RouteEvent<R> ? BodyAnswer<R> : BodyAnswer<R> | EventsAnswer<R>

export type Handler<R extends Route> = (input: RouteInput<R>, context: ContextOf<R>) => Promise<Answer<R>>

/** One handler for every route, but for the OpenAPI document, which the server makes itself. */
export type Handlers = {
  readonly [K in Exclude<keyof Routes, 'getOpenApi'>]: Handler<Routes[K]>
}

/** Those that miners call. */
export type MinerHandlers = Pick<Handlers, keyof typeof minerRoutes>

/** One request that has ended, for metrics. */
export interface Observation {
  /** null: no route has this path */
  routeId: keyof Routes | null
  /** 499: the caller went away before the answer */
  status: number
  durationMs: number
  streamed: boolean
  requestId: string
  errorCode: string | null
}

/** The part of a logger (pino's shape) that the server writes to. */
export interface ApiLogger {
  debug(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}
