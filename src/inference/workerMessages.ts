import { CuckooError, type ErrorFactory, type Facts } from '../errors/cuckooError.ts'
import * as inferenceErrors from '../errors/inference.ts'
import { internalError } from '../errors/internal.ts'
import * as mediaErrors from '../errors/media.ts'

/** What a worker offers: per method its arguments, its result, and the events it sends while it works. */
export type WorkerProtocol = Record<string, { args: unknown; result: unknown; event?: unknown }>

/** To the worker. */
export interface WorkerCall {
  id: number
  method: string
  args: unknown
}

/** From the worker: any number of events, then one result or error. */
export type WorkerReply =
  | { id: number; type: 'event'; event: unknown }
  | { id: number; type: 'result'; result: unknown }
  | { id: number; type: 'error'; error: WireError }

/** An error as it crosses threads: prototypes do not survive structured clone, so a coded error travels as code and facts. */
export interface WireError {
  code: string | null
  facts: Facts
  message: string
  stack: string | undefined
}

/** `error` in the form that crosses threads. */
export function encodeError(error: unknown): WireError {
  if (error instanceof CuckooError) {
    const root = error.cause instanceof Error ? error.cause : error
    return { code: error.code, facts: error.facts, message: root.message, stack: root.stack }
  }
  const plain = error instanceof Error ? error : new Error(String(error))
  return { code: null, facts: {}, message: plain.message, stack: plain.stack }
}

const factories = new Map(
  [inferenceErrors, mediaErrors].flatMap((errors) => Object.values(errors)).map((factory) => [factory.code, factory as unknown as ErrorFactory<Facts>]),
)

/** The error that a worker threw, with its code and, as its cause, what the worker's stack said. */
export function decodeError(wire: WireError): CuckooError {
  const cause = Object.assign(new Error(wire.message), { stack: wire.stack })
  const factory = wire.code === null ? undefined : factories.get(wire.code)
  return factory === undefined ? internalError({ reason: wire.message }, { cause }) : factory(wire.facts, { cause })
}
