import { z } from 'zod'
import * as apiErrors from '../errors/api.ts'
import { internalError } from '../errors/internal.ts'
import { isForm } from './requestInput.ts'
import { formType, type Route } from './route.ts'
import { routes } from './routes/routes.ts'
import { protocolVersion, zError } from './wire.ts'

type Json = Record<string, unknown>
interface KnownError {
  code: string
  httpStatus: number
}

const authErrors: Record<Route['auth'], readonly KnownError[]> = {
  none: [],
  app: [apiErrors.apiKeyMissing, apiErrors.apiKeyInvalid],
  session: [apiErrors.sessionInvalid, apiErrors.sessionReplayed, apiErrors.clockSkewed],
}
const bodyErrors: readonly KnownError[] = [apiErrors.bodyTooLarge, apiErrors.mediaTypeUnsupported]
const anyErrors: readonly KnownError[] = [apiErrors.requestInvalid, apiErrors.draining, internalError]

/** The API as an OpenAPI 3.1 document, made from the route values. @example createOpenApi().openapi // '3.1.0' */
export function createOpenApi(): Json {
  const schemas: Record<string, Json> = {}
  const toSchema = createSchemaWriter(schemas)
  schemas.Error = toSchema(zError)
  const paths: Record<string, Json> = {}
  // Sorted: the order of a module's exports is not the same in every loader.
  for (const route of Object.values<Route>(routes).sort((a, b) => (`${a.path} ${a.method}` < `${b.path} ${b.method}` ? -1 : 1))) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route, toSchema) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cuckoo coordinator',
      version: String(protocolVersion),
      description: 'Generative AI served by a market of miners: /v1 for apps (OpenAI-compatible, and native tasks), /miner/v1 for miners.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        app: { type: 'http', scheme: 'bearer', description: 'API key from `cuckoo apps create`' },
        session: {
          type: 'apiKey',
          in: 'header',
          name: 'x-cuckoo-session',
          description:
            'Miner session from POST /miner/v1/session. Beside the session id: x-cuckoo-time (unix seconds), x-cuckoo-sequence (rises by one) and x-cuckoo-mac, HMAC-SHA256 in hex over method, path with query, time, sequence and the SHA-256 of the body in hex, joined by line feeds.',
        },
      },
    },
  }
}

function toOperation(route: Route, toSchema: SchemaWriter): Json {
  return {
    operationId: route.id,
    summary: route.summary,
    tags: [route.path.startsWith('/miner/') ? 'miners' : route.auth === 'app' ? 'apps' : 'anyone'],
    security: route.auth === 'none' ? [] : [{ [route.auth]: [] }],
    parameters: [...toParameters(toSchema(route.params), 'path'), ...toParameters(toSchema(route.query), 'query')],
    ...(route.body === null ? {} : { requestBody: toRequestBody(route, toSchema) }),
    responses: { 200: toAnswer(route, toSchema), ...toErrorAnswers(route) },
  }
}

function toRequestBody(route: Route, toSchema: SchemaWriter): Json {
  const content = toBodyContent(route, toSchema)
  return { required: true, description: `At most ${route.maxBodyBytes} bytes.`, content }
}

function toBodyContent(route: Route, toSchema: SchemaWriter): Json {
  const { body } = route
  if (body === 'media') return { '*/*': {} }
  if (body === 'bytes') return { 'application/octet-stream': {} }
  if (!isForm(body)) return { 'application/json': { schema: toSchema(body as z.ZodType) } }
  const fields = toSchema(body.fields) as { properties: Record<string, Json>; required?: string[] }
  // The field of an array is written name[] on the wire.
  const properties = Object.entries(fields.properties).map(([name, schema]) => [schema.type === 'array' ? `${name}[]` : name, schema])
  const schema = {
    ...fields,
    properties: { [body.file]: { type: 'string', format: 'binary' }, ...Object.fromEntries(properties) },
    required: [body.file, ...(fields.required ?? [])],
  }
  return { [formType]: { schema } }
}

function toAnswer(route: Route, toSchema: SchemaWriter): Json {
  const content: Json = {}
  if (route.response === 'text') content['text/plain'] = { schema: { type: 'string' } }
  else if (route.response === 'bytes') for (const type of route.responseTypes) content[type] = {}
  else if (route.events === null || route.doneMarker) content['application/json'] = { schema: toSchema(route.response) }
  if (route.plainText) content['text/plain'] = { schema: { type: 'string' } }
  // OpenAPI 3.1 has no word for a stream: the schema is that of one event's data.
  if (route.events !== null) content['text/event-stream'] = { schema: toSchema(route.events) }
  return { description: route.doneMarker ? 'The answer; with `stream`, events that end with `data: [DONE]`.' : 'The answer.', content }
}

function toErrorAnswers(route: Route): Json {
  const errors = [...(route.errors as readonly KnownError[]), ...authErrors[route.auth], ...(route.body === null ? [] : bodyErrors), ...anyErrors]
  const byStatus = Map.groupBy(errors, (error) => error.httpStatus)
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: [...new Set(group.map((error) => error.code))].join(', '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  )
}

function toParameters(schema: Json, where: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = schema as { properties?: Record<string, Json>; required?: string[] }
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property
    return { name, in: where, required: where === 'path' || required.includes(name), ...(description === undefined ? {} : { description }), schema: rest }
  })
}

type SchemaWriter = (schema: z.ZodType) => Json

/** Writes JSON Schemas of the wire form: what goes into the codecs, on both sides. Schemas with an id of their own go to `shared`, once. */
function createSchemaWriter(shared: Record<string, Json>): SchemaWriter {
  return (schema) => {
    const { $schema: _dialect, $defs = {}, ...written } = toReferences(z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' }))
    const { id, ...rest } = written
    for (const [name, { id: _id, ...definition }] of Object.entries($defs as Record<string, Json>)) shared[name] = definition
    if (typeof id !== 'string') return rest
    shared[id] = rest
    return { $ref: `#/components/schemas/${id}` }
  }
}

function toReferences(schema: object): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'))
}
