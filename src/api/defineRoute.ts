import { z } from 'zod'
import type { ErrorFactory } from '../errors/cuckooError.ts'
import type { FormBody, Route } from './route.ts'

const empty = z.object({})
type Empty = typeof empty

type Draft = Pick<Route, 'id' | 'method' | 'path' | 'auth' | 'summary' | 'response'> &
  Partial<Pick<Route, 'params' | 'query' | 'body' | 'maxBodyBytes' | 'maxResponseBytes' | 'responseTypes' | 'plainText' | 'events' | 'doneMarker'>> & {
    errors?: readonly { code: string }[]
  }

type Completed<D extends Draft> = Omit<Route, keyof D> &
  D & {
    params: D['params'] extends z.ZodObject ? D['params'] : Empty
    query: D['query'] extends z.ZodObject ? D['query'] : Empty
    body: D['body'] extends z.ZodType | 'bytes' | 'media' | FormBody ? D['body'] : null
    events: D['events'] extends z.ZodType ? D['events'] : null
    maxBodyBytes: number
    maxResponseBytes: number
    doneMarker: boolean
    responseTypes: readonly string[]
    plainText: boolean
    errors: readonly ErrorFactory<never>[]
  }

/** `maxResponseBytes` of an answer that holds what a task gave: no result has more bytes (see `submitResult`), but JSON of images or floats is wider. */
export const outputAnswerBytes = 67_108_864

/** A {@link Route} with what is not said filled in: no parameters, no body, requests of 64 KiB and answers of 1 MiB at most, no stream. */
export function defineRoute<const D extends Draft>(draft: D): Completed<D> {
  return {
    params: empty,
    query: empty,
    body: null,
    maxBodyBytes: 65_536,
    maxResponseBytes: 1_048_576,
    responseTypes: ['application/octet-stream'],
    plainText: false,
    events: null,
    doneMarker: false,
    errors: [],
    ...draft,
  } as unknown as Completed<D>
}
