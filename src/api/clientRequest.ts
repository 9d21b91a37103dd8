import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { bodyTooLarge, requestInvalid } from '../errors/api.ts'
import { describeIssue, isForm, toContentType } from './requestInput.ts'
import { type FormBody, type FormInput, formType, type Route } from './route.ts'

/** The input as the transport takes it: that it fits its route was checked where the call is typed. */
export interface AnyInput {
  params?: Record<string, unknown>
  query?: Record<string, unknown>
  body?: unknown
}

export interface EncodedRequest {
  /** with parameters filled in, and the query */
  path: string
  body: Uint8Array
  headers: Record<string, string>
  /** how long the coordinator was asked to wait, in ms */
  waitMs: number
}

/**
 * The request of a route as it goes on the wire.
 * @throws CUCKOO_API_REQUEST_INVALID when the input breaks the route's schema
 * @throws CUCKOO_API_BODY_TOO_LARGE when the coordinator would refuse its length
 */
export function encodeRequest(route: Route, input: AnyInput): EncodedRequest {
  const params = encodePart(route.params, input.params ?? {}, 'path')
  const query = encodePart(toPartial(route.query), input.query ?? {}, 'query')
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const path = route.path.replace(/:(\w+)/g, (_match, name: string) => encodeURIComponent(String(params[name])))
  const { body, type } = encodeBody(route, input.body)
  if (body.length > route.maxBodyBytes) throw bodyTooLarge({ maximumBytes: route.maxBodyBytes })
  return {
    path: search.size === 0 ? path : `${path}?${search}`,
    body,
    headers: body.length === 0 ? {} : { 'content-type': type },
    waitMs: getWaitMs(input.query) + getWaitMs(input.body),
  }
}

/** Each is made once: a new schema of zod's compiles itself with its first use, four times as long as all the rest of encoding a request. */
const partials = new WeakMap<z.ZodObject, z.ZodObject>()

function toPartial(query: z.ZodObject): z.ZodObject {
  const partial = partials.get(query) ?? query.partial()
  partials.set(query, partial)
  return partial
}

function encodeBody(route: Route, body: unknown): { body: Uint8Array; type: string } {
  const type = toContentType(route) ?? 'application/octet-stream'
  if (route.body === null) return { body: new Uint8Array(), type }
  if (route.body === 'bytes' || route.body === 'media') return { body: body as Uint8Array, type }
  if (isForm(route.body)) return encodeForm(route.body, body as FormInput<FormBody>)
  return { body: Buffer.from(JSON.stringify(encodePart(route.body, body, 'body'))), type }
}

/** RFC 7578, in one piece: a request's length is known before it is sent. */
function encodeForm(form: FormBody, { fields, file }: FormInput<FormBody>): { body: Uint8Array; type: string } {
  const boundary = `cuckoo-${randomUUID()}`
  const head = (name: string, more = '') => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n`
  const texts = Object.entries(encodePart(form.fields, fields, 'body')).flatMap(([name, value]) =>
    [value].flat().map((text) => (text === undefined ? '' : `${head(Array.isArray(value) ? `${name}[]` : name)}\r\n${String(text)}\r\n`)),
  )
  const start = `${texts.join('')}${head(form.file, '; filename="file"')}content-type: application/octet-stream\r\n\r\n`
  return { body: Buffer.concat([Buffer.from(start), file, Buffer.from(`\r\n--${boundary}--\r\n`)]), type: `${formType}; boundary=${boundary}` }
}

function encodePart(schema: z.ZodType, value: unknown, part: string): Record<string, unknown> {
  const result = z.safeEncode(schema, value as never)
  if (result.success) return result.data as Record<string, unknown>
  const { path, problem } = describeIssue(result.error)
  throw requestInvalid({ where: [part, path.join('.')].filter(Boolean).join(' '), problem }, { cause: result.error })
}

function getWaitMs(part: unknown): number {
  const { waitMs } = (part ?? {}) as { waitMs?: unknown }
  return typeof waitMs === 'number' ? waitMs : 0
}
