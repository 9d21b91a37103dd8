import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { mediaTypeUnsupported, requestInvalid } from '../errors/api.ts'
import { type FormBody, formType, type Route, type RouteInput } from './route.ts'

type Part = 'path' | 'query' | 'body'

const whitespace = /^\s*$/

/** A form as it came: texts by field, and the bytes of its file. */
export interface RawForm {
  fields: Record<string, string | string[]>
  file: Uint8Array
}

/** True for a body that is multipart/form-data. */
export function isForm(body: Route['body']): body is FormBody {
  return typeof body === 'object' && body !== null && 'fields' in body
}

/** JSON text to its value; the server gives fastify's parser, which refuses keys that reach an object's prototype. */
export type JsonParser = (text: string) => unknown

/** The decoder of a route's input from what came over the wire, with its schemas prepared. */
export function createInputDecoder<R extends Route>(route: R, parseJson: JsonParser, maxJsonDepth: number) {
  // A query field that the route does not know is refused, not dropped.
  const query = route.query.strict()
  return (raw: { params: unknown; query: unknown; body: Uint8Array | RawForm }): RouteInput<R> =>
    ({
      params: decodePart(route.params, raw.params, 'path'),
      query: decodePart(query, raw.query, 'query'),
      body: decodeBody(route, raw.body, parseJson, maxJsonDepth),
    }) as RouteInput<R>
}

/** Content type of a route's body; null: any but a form. */
export function toContentType({ body }: Route): string | null {
  if (body === 'media') return null
  if (body === 'bytes') return 'application/octet-stream'
  return isForm(body) ? formType : 'application/json'
}

/** @throws CUCKOO_API_MEDIA_TYPE_UNSUPPORTED for a body of another type than the route's, or an encoded one */
export function assertMediaType(route: Route, headers: Readonly<Record<string, string | string[] | undefined>>): void {
  if (route.body === null) return
  const type = toContentType(route)
  const expected = type ?? 'application/octet-stream'
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw mediaTypeUnsupported({ found: `${String(encoding).slice(0, 50)} encoded`, expected })
  const length = headers['content-length']
  if (length === '0' || (length === undefined && headers['transfer-encoding'] === undefined)) return
  const found = String(headers['content-type'] ?? 'no content-type')
  const foundType = found.split(';', 1)[0]?.trim().toLowerCase()
  if (type === null ? foundType === formType : foundType !== type) throw mediaTypeUnsupported({ found: found.slice(0, 100), expected })
}

function decodeBody(route: Route, raw: Uint8Array | RawForm, parseJson: JsonParser, maxJsonDepth: number): unknown {
  if (isForm(route.body)) {
    const { fields, file } = raw as RawForm
    return { fields: decodePart(route.body.fields, fields, 'body'), file }
  }
  const bytes = raw as Uint8Array
  if (route.body === 'bytes' || route.body === 'media') return bytes
  if (!isUtf8(bytes)) throw requestInvalid({ where: 'body', problem: 'is not UTF-8' })
  if (route.body === null) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
    if (bytes.length > 0 && !whitespace.test(text) && text.trim() !== '{}') throw requestInvalid({ where: 'body', problem: 'must be empty' })
    return undefined
  }
  assertJsonDepth(bytes, maxJsonDepth)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  if (whitespace.test(text)) throw requestInvalid({ where: 'body', problem: 'is missing' })
  let value: unknown
  try {
    value = parseJson(text)
  } catch (cause) {
    throw requestInvalid({ where: 'body', problem: 'is not JSON, or has a key that JSON here must not have (__proto__)' }, { cause })
  }
  return decodePart(route.body, value, 'body')
}

function decodePart(schema: z.ZodType, value: unknown, part: Part): unknown {
  const result = z.safeDecode(schema, value as never)
  if (result.success) return result.data
  const { path, problem } = describeIssue(result.error, value)
  const param = path.join('.').slice(0, 100)
  throw requestInvalid({ where: param === '' ? part : `${part} ${param}`, problem, ...(param === '' ? {} : { param }) }, { cause: result.error })
}

/** Where the first thing is that breaks a schema, and what it is, with what `input` has there. Of a union: of the branch that came furthest. */
export function describeIssue(error: { issues: z.core.$ZodIssue[] }, input?: unknown): { path: PropertyKey[]; problem: string } {
  const issue = error.issues[0] as z.core.$ZodIssue
  const found = getAt(input, issue.path)
  if (issue.code === 'unrecognized_keys') return { path: [...issue.path, issue.keys[0] as string], problem: 'is not known here' }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const inner = issue.errors.map((issues) => describeIssue({ issues }, found)).reduce((best, next) => (next.path.length > best.path.length ? next : best))
    if (inner.path.length > 0) return { path: [...issue.path, ...inner.path], problem: inner.problem }
  }
  return { path: issue.path, problem: `${issue.message.replace(/^Invalid input: /, '')}${formatFound(found)}` }
}

function getAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], input)
}

// A number, or a text short enough to be one of a choice: a prompt does not go into messages.
function formatFound(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && value.length <= 40)) return `, not ${JSON.stringify(value)}`
  return ''
}

/**
 * Refuses JSON nested deeper than `maxDepth` in one pass over the bytes, before a parser builds anything.
 * @throws CUCKOO_API_REQUEST_INVALID
 */
export function assertJsonDepth(bytes: Uint8Array, maxDepth: number): void {
  let depth = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (byte === 0x22) {
      // Skips a string: to its closing quote, past escapes.
      for (index++; index < bytes.length && bytes[index] !== 0x22; index++) if (bytes[index] === 0x5c) index++
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++
      if (depth > maxDepth) throw requestInvalid({ where: 'body', problem: `is nested deeper than ${maxDepth} levels` })
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
}
