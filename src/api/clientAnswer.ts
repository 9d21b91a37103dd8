import { errors as undiciErrors } from 'undici'
import { z } from 'zod'
import { toPlainText } from '../domain/plainText.ts'
import { coordinatorUnreachable, responseInvalid } from '../errors/api.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { fromErrorBody } from './errorBody.ts'
import { countJsonParts } from './jsonParts.ts'
import { describeIssue } from './requestInput.ts'
import type { Route } from './route.ts'
import { doneMarker, EventStreamParser } from './sse.ts'

/** An answer whose body is still to be read. */
export interface WireAnswer {
  route: Route
  status: number
  headers: Readonly<Record<string, string>>
  body: AsyncIterable<Uint8Array> & { dump(options?: { limit: number }): Promise<void> }
  /** our form of what broke the connection */
  toError: (error: unknown) => unknown
}

/** Characters that one event may have. */
const maxEventLength = 16_777_216
/** Of an answer that tells an error. */
const maxErrorBytes = 65_536
/** The words of a transcript, the densest of honest answers, have a part for some 8 bytes, and an output at most a quarter of the bytes that its route allows. */
const bytesPerPart = 32

/**
 * The body of a good answer, decoded by the route's schema.
 * @throws the coordinator's error, or CUCKOO_API_RESPONSE_INVALID
 */
export async function readBody(answer: WireAnswer): Promise<unknown> {
  const { route, status, headers } = answer
  if (status < 200 || status > 299) throw await fromAnswer(answer)
  const bytes = await readBytes(answer, route.maxResponseBytes)
  if (route.response === 'bytes') return bytes
  const text = toText(bytes)
  if (route.response === 'text') return text
  if (route.plainText && headers['content-type']?.startsWith('text/plain')) return decodeValue(route, route.response, text)
  if (!headers['content-type']?.startsWith('application/json')) {
    throw responseInvalid({ route: route.id, problem: `it is ${formatType(headers)}, not JSON` })
  }
  return decodeJson(route, route.response, text)
}

/** The error that an answer other than the wanted one stands for: the coordinator's own where it has the shape of one. */
export async function fromAnswer(answer: WireAnswer): Promise<unknown> {
  const { route, status, headers } = answer
  if (status < 400) {
    await answer.body.dump({ limit: 65_536 }).catch(() => undefined)
    return responseInvalid({ route: route.id, problem: `HTTP ${status} ${formatType(headers)} is not what was asked for` })
  }
  let value: unknown
  try {
    value = JSON.parse(toText(await readBytes(answer, maxErrorBytes)))
  } catch (error) {
    if (error instanceof CuckooError) return error
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

function formatType(headers: WireAnswer['headers']): string {
  return `'${toPlainText(headers['content-type'] ?? 'of no type', 200)}'`
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

/** The whole body in one array that grows as it comes: a peer that sends it byte by byte must not make us keep a buffer for each. */
async function readBytes({ route, headers, body, toError }: WireAnswer, maxBytes: number): Promise<Uint8Array> {
  const saidBytes = Number(headers['content-length'] ?? 0)
  let bytes = new Uint8Array(Math.min(saidBytes, maxBytes))
  let length = 0
  for await (const chunk of mapErrors(body, toError)) {
    const end = length + chunk.length
    if (Math.max(end, saidBytes) > maxBytes) throw responseInvalid({ route: route.id, problem: `it is larger than ${maxBytes} bytes` })
    if (end > bytes.length) {
      const grown = new Uint8Array(Math.min(maxBytes, Math.max(end, 2 * bytes.length)))
      grown.set(bytes.subarray(0, length))
      bytes = grown
    }
    bytes.set(chunk, length)
    length = end
  }
  return length === bytes.length ? bytes : bytes.slice(0, length)
}

function toText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString()
}

function decodeJson(route: Route, schema: z.ZodType, text: string): unknown {
  return decodeValue(route, schema, parseJson(route, text))
}

function parseJson(route: Route, text: string): unknown {
  const maxParts = Math.floor(route.maxResponseBytes / bytesPerPart)
  if (countJsonParts(text, maxParts) > maxParts) throw responseInvalid({ route: route.id, problem: `it has more than ${maxParts} objects, arrays and strings` })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw responseInvalid({ route: route.id, problem: 'it is not JSON' }, { cause })
  }
}

function decodeValue(route: Route, schema: z.ZodType, value: unknown): unknown {
  const result = z.safeDecode(schema, value as never)
  if (result.success) return result.data
  // zod's own error is no cause to keep: it may name every key that the peer made up.
  const { path, problem } = describeIssue(result.error)
  throw responseInvalid({ route: route.id, problem: `'${toPlainText(path.join('.'), 200)}': ${toPlainText(problem)}` })
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
