import { errors as undiciErrors } from 'undici'
import { z } from 'zod'
import { coordinatorUnreachable, responseInvalid } from '../errors/api.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { fromErrorBody } from './errorBody.ts'
import { describeIssue } from './requestInput.ts'
import type { Route } from './route.ts'
import { doneMarker, EventStreamParser } from './sse.ts'

/** An answer whose body is still to be read. */
export interface WireAnswer {
  route: Route
  status: number
  headers: Readonly<Record<string, string>>
  body: AsyncIterable<Uint8Array> & { bytes(): Promise<Uint8Array>; dump(options?: { limit: number }): Promise<void> }
  /** our form of what broke the connection */
  toError: (error: unknown) => unknown
}

/** Characters that one event may have. */
const maxEventLength = 16_777_216

/**
 * The body of a good answer, decoded by the route's schema.
 * @throws the coordinator's error, or CUCKOO_API_RESPONSE_INVALID
 */
export async function readBody(answer: WireAnswer): Promise<unknown> {
  const { route, status, headers } = answer
  if (status < 200 || status > 299) throw await fromAnswer(answer)
  const bytes = await readBytes(answer)
  if (route.response === 'bytes') return bytes
  const text = Buffer.from(bytes).toString()
  if (route.response === 'text') return text
  if (route.plainText && headers['content-type']?.startsWith('text/plain')) return decodeValue(route, route.response, text)
  if (!headers['content-type']?.startsWith('application/json')) {
    throw responseInvalid({ route: route.id, problem: `it is '${headers['content-type'] ?? 'of no type'}', not JSON` })
  }
  return decodeJson(route, route.response, text)
}

/** The error that an answer other than the wanted one stands for: the coordinator's own where it has the shape of one. */
export async function fromAnswer(answer: WireAnswer): Promise<unknown> {
  const { route, status, headers } = answer
  if (status < 400) {
    await answer.body.dump({ limit: 65_536 }).catch(() => undefined)
    return responseInvalid({ route: route.id, problem: `HTTP ${status} '${headers['content-type'] ?? 'of no type'}' is not what was asked for` })
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(await readBytes(answer)).toString())
  } catch (error) {
    if (error instanceof CuckooError && error.kind === 'unavailable') return error
    value = undefined
  }
  return fromErrorBody(status, value, headers) ?? responseInvalid({ route: route.id, problem: `HTTP ${status} without an error of ours` })
}

/**
 * The events of an answer that streams, each decoded by the route's schema.
 * @throws the coordinator's error where the stream holds one; CUCKOO_API_UNREACHABLE where it ends early; CUCKOO_API_RESPONSE_INVALID
 */
export async function* readEvents(answer: WireAnswer): AsyncGenerator<unknown> {
  const { route } = answer
  const parser = new EventStreamParser()
  const decoder = new TextDecoder()
  for await (const chunk of mapErrors(answer.body, answer.toError)) {
    for (const data of parser.push(decoder.decode(chunk, { stream: true }))) {
      if (route.doneMarker && data === doneMarker) return
      yield decodeEvent(answer, data)
    }
    if (parser.pendingLength > maxEventLength) throw responseInvalid({ route: route.id, problem: `an event is longer than ${maxEventLength} characters` })
  }
  if (route.doneMarker) throw answer.toError(new undiciErrors.SocketError('the stream ended early'))
}

async function* mapErrors<T>(source: AsyncIterable<T>, toError: (error: unknown) => unknown): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    throw toError(error)
  }
}

function decodeEvent(answer: WireAnswer, data: string): unknown {
  const { route } = answer
  const value = parseJson(route, data)
  if (typeof value === 'object' && value !== null && 'error' in value) {
    throw fromErrorBody(null, value, answer.headers) ?? responseInvalid({ route: route.id, problem: 'an event holds an error of unknown shape' })
  }
  return decodeValue(route, route.events as z.ZodType, value)
}

async function readBytes(answer: WireAnswer): Promise<Uint8Array> {
  try {
    return await answer.body.bytes()
  } catch (error) {
    throw answer.toError(error)
  }
}

function decodeJson(route: Route, schema: z.ZodType, text: string): unknown {
  return decodeValue(route, schema, parseJson(route, text))
}

function parseJson(route: Route, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw responseInvalid({ route: route.id, problem: 'it is not JSON' }, { cause })
  }
}

function decodeValue(route: Route, schema: z.ZodType, value: unknown): unknown {
  const result = z.safeDecode(schema, value as never)
  if (result.success) return result.data
  const { path, problem } = describeIssue(result.error)
  throw responseInvalid({ route: route.id, problem: `'${path.join('.')}': ${problem}` }, { cause: result.error })
}

/** Our form of an error of the connection: CUCKOO_API_UNREACHABLE, or what the guard or the size limit said. */
export function fromNetworkError(error: unknown, about: { route: Route; url: string; limitMs: number; maxResponseBytes: number }): CuckooError {
  if (error instanceof CuckooError) return error
  if (error instanceof undiciErrors.ResponseExceededMaxSizeError) {
    return responseInvalid({ route: about.route.id, problem: `it is larger than ${about.maxResponseBytes} bytes` }, { cause: error })
  }
  return coordinatorUnreachable({ url: about.url, reason: describeNetworkError(error, about.limitMs) }, { cause: error })
}

const timeoutNames = new Set(['TimeoutError', 'HeadersTimeoutError', 'BodyTimeoutError', 'ConnectTimeoutError'])
const reasons: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ENOTFOUND: 'the host name is unknown (ENOTFOUND)',
  ECONNRESET: 'the connection broke (ECONNRESET)',
  UND_ERR_SOCKET: 'the connection broke',
}

function describeNetworkError(error: unknown, limitMs: number): string {
  if (!(error instanceof Error)) return String(error)
  if (timeoutNames.has(error.name)) return `no answer within ${limitMs} ms`
  const code = (error as NodeJS.ErrnoException).code ?? error.name
  return reasons[code] ?? code
}
