import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { type Client, type ClientOptions, createClient } from '../../src/api/client.ts'
import { pollTask } from '../../src/api/routes/miner.ts'
import { sha256 } from '../../src/domain/canonical.ts'
import type { TaskContent } from '../../src/domain/task.ts'
import { maxInputTokens, taskKindTraits } from '../../src/domain/taskKinds.ts'
import { CuckooError } from '../../src/errors/cuckooError.ts'
import { apiKey, hashOf, manifest, medium, openTestSession, receipt, signedVoucher, startServer, type TestServer, task } from './fixtures.ts'

let server: TestServer | undefined
let impostor: HttpServer | undefined
let client: Client | undefined
afterEach(async () => {
  await client?.close()
  impostor?.closeAllConnections()
  impostor?.close()
  await server?.stop()
  server = impostor = client = undefined
})

/** A client of a server that answers whatever the test wants. */
async function connectTo(listener: RequestListener, options: Partial<ClientOptions> = {}): Promise<Client> {
  impostor = createHttpServer(listener)
  await new Promise<void>((resolve) => {
    impostor?.listen(0, '127.0.0.1', resolve)
  })
  client = createClient({ url: `http://127.0.0.1:${(impostor.address() as AddressInfo).port}`, apiKey, allowPrivate: true, timeoutMs: 2_000, ...options })
  return client
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }

test('an error keeps the code and hint of the coordinator; its kind is that of the code, else of the status', async () => {
  const body = { error: { message: 'no \u001b[31mred\u001b[0m\nlines', type: 'x', param: 'model', code: 'CUCKOO_FUTURE_THING', hint: 'do this' } }
  const first = await connectTo(json(422, body, { 'x-request-id': 'r-1' }))
  await expect(first.getHealth({})).rejects.toMatchObject({
    code: 'CUCKOO_FUTURE_THING',
    kind: 'rejected',
    httpStatus: 422,
    hint: 'do this',
    message: 'no  [31mred [0m lines',
    facts: { param: 'model', requestId: 'r-1' },
  })
  await first.close()
  const dead = await connectTo(json(502, { error: { ...body.error, code: 'CUCKOO_TASK_DEAD' } }))
  await expect(dead.getHealth({})).rejects.toMatchObject({ code: 'CUCKOO_TASK_DEAD', kind: 'unavailable' })
})

test.each<[string, RequestListener, string]>([
  ['HTML', (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hi</h1>'), "it is 'text/html', not JSON"],
  ['half of JSON', (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":'), 'it is not JSON'],
  ['another schema', json(200, { status: 'meh', version: '1' }), "'status': "],
  ['a proxy’s error page', (_request, response) => response.writeHead(502).end('Bad Gateway'), 'HTTP 502 without an error of ours'],
  ['an error without a code', json(400, { error: 'nope' }), 'HTTP 400 without an error of ours'],
  ['a redirect', (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), "HTTP 302 'of no type' is not what was asked for"],
  ['more than its route says', json(200, { status: 'ok', version: 'x'.repeat(1_048_576) }), 'it is larger than 1048576 bytes'],
  [
    'more than its route says, without a length',
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"status":"ok","version":"')
      response.end(`${'x'.repeat(1_048_576)}"}`)
    },
    'it is larger than 1048576 bytes',
  ],
  ['an endless error', json(400, { error: { message: 'x'.repeat(65_536), type: 'x', param: null, code: 'x' } }), 'it is larger than 65536 bytes'],
  ['many small parts', json(200, { status: 'ok', version: '1', more: Array(32_768).fill({}) }), 'it has more than 32768 objects, arrays and strings'],
  ['a type that rings', (_request, response) => response.writeHead(200, { 'content-type': 'text/\u009b2J' }).end('x'), "it is 'text/ 2J', not JSON"],
])('an answer of %s breaks the protocol', async (_name, listener, words) => {
  const connected = await connectTo(listener)
  const error = (await connected.getHealth({}).catch((caught: unknown) => caught)) as CuckooError
  expect([error.code, error.kind]).toEqual(['CUCKOO_API_RESPONSE_INVALID', 'invalid'])
  expect(error.message).toContain(words)
})

test('an answer of the most bytes and parts that its route takes is read whole, however it is cut', async () => {
  const fill = (head: string, tail: string) => `${head}${'x'.repeat(1_048_576 - head.length - tail.length)}${tail}`
  const text = fill(`{"status":"ok","more":[${'{},'.repeat(32_760)}""],"version":"`, '"}')
  const whole = await connectTo((_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(text))
  const { version } = await whole.getHealth({})
  await whole.close()
  const cut = await connectTo((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    for (let at = 0; at < 5_000; at++) response.write(text[at])
    response.end(text.slice(5_000))
  })
  expect((await cut.getHealth({})).version).toBe(version)
})

const id = 2 ** 31 - 1
const textParams = { maxTokens: 1, temperature: 0, topP: 1, topK: 0, stop: ['x'.repeat(200)], date: '2026-01-01' }
const largestContents: Record<string, TaskContent> = {
  'one text': { kind: 'completion', input: { tokenIds: Array(maxInputTokens).fill(id) }, params: textParams },
  'many texts': { kind: 'embedding', input: { tokenIds: Array(2048).fill(Array(maxInputTokens / 2048).fill(id)) }, params: { normalize: true } },
  characters: {
    kind: 'summarization',
    input: { text: '\u0001'.repeat(taskKindTraits.summarization.limits.maxCharacters) },
    params: { maxTokens: 1 },
  },
}
test.each(Object.entries(largestContents))('the largest task that a coordinator may give comes through a poll: %s', async (_name, content) => {
  const polled = {
    assignment: receipt.assignment,
    signature: signedVoucher.signature,
    model: `a/${'m'.repeat(198)}`,
    content,
    stream: false,
    leaseMs: 2 ** 31 - 1,
  }
  const reasons = Array(100).fill('x'.repeat(1_000))
  const answer = z.encode(pollTask.response, { task: polled, reasons, logHead: hashOf('head'), voucher: signedVoucher })
  const session = { id: hashOf('session'), sign: () => ({}) }
  const connected = await connectTo(json(200, answer), { session })
  const { task: got } = await connected.pollTask({ body: { free: 1, waitMs: 0 } })
  expect(sha256(JSON.stringify(got?.content))).toBe(sha256(JSON.stringify(content)))
})

test('names that a peer made up come into a message as plain text', async () => {
  const connected = await connectTo(json(200, { ...medium, [`\u001b[31m${'x'.repeat(3_000)}`]: 1 }))
  const error = (await connected.uploadMedia({ body: Buffer.alloc(1) }).catch((caught: unknown) => caught)) as CuckooError
  expect(error.message).toMatch(/^The answer of uploadMedia breaks the protocol: '[^\p{Cc}]{0,200}': [^\p{Cc}]*$/u)
})

test('a coordinator that is not there, breaks off or is silent is unreachable, and its URL is named', async () => {
  const closed = createClient({ url: 'http://127.0.0.1:1/base/', allowPrivate: true })
  await expect(closed.getHealth({})).rejects.toMatchObject({
    code: 'CUCKOO_API_UNREACHABLE',
    message: 'The coordinator at http://127.0.0.1:1/base does not answer: nothing listens there (ECONNREFUSED).',
  })
  await closed.close()
  const broken = await connectTo((request) => request.socket.destroy())
  await expect(broken.getHealth({})).rejects.toMatchObject({ code: 'CUCKOO_API_UNREACHABLE' })
  await broken.close()
  const half = await connectTo((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"status"')
    setTimeout(() => response.destroy(), 20)
  })
  await expect(half.getHealth({})).rejects.toMatchObject({ code: 'CUCKOO_API_UNREACHABLE' })
  await half.close()
  const silent = await connectTo(() => undefined)
  await expect(silent.getHealth({}, { timeoutMs: 200 })).rejects.toMatchObject({
    code: 'CUCKOO_API_UNREACHABLE',
    message: expect.stringContaining('no answer within 200 ms'),
  })
})

test('a drip of bytes does not outlast the timeout', async () => {
  const connected = await connectTo((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 50)
    response.on('close', () => clearInterval(timer))
  })
  const startedMs = Date.now()
  await expect(connected.getHealth({}, { timeoutMs: 400 })).rejects.toMatchObject({ code: 'CUCKOO_API_UNREACHABLE' })
  expect(Date.now() - startedMs).toBeLessThan(2_000)
})

test('what a request asks to wait comes on top of its timeout', async () => {
  server = await startServer()
  const polling = server.connect({ session: await openTestSession(server), timeoutMs: 800 })
  expect((await polling.pollTask({ body: { free: 1, waitMs: 900 } })).reasons).toEqual(['waited 900 ms'])
})

test('so does the time that a large body takes on a slow line', async () => {
  const silent = await connectTo(() => undefined)
  // 437 bytes a millisecond
  await expect(silent.uploadMedia({ body: Buffer.alloc(131_100) }, { timeoutMs: 100 })).rejects.toMatchObject({
    message: expect.stringContaining('no answer within 400 ms'),
  })
})

test('input that breaks the schema or the size of a route never leaves', async () => {
  let requests = 0
  const connected = await connectTo((_request, response) => {
    requests++
    response.end()
  })
  await expect(connected.getTask({ params: { id: '0x12' } })).rejects.toMatchObject({ code: 'CUCKOO_API_REQUEST_INVALID', kind: 'usage' })
  await expect(connected.createCompletion({ body: { model: manifest.model, prompt: 'x'.repeat(5_000_000) } })).rejects.toMatchObject({
    code: 'CUCKOO_API_BODY_TOO_LARGE',
  })
  await expect(connected.pollTask({ body: { free: 1, waitMs: 0 } })).rejects.toMatchObject({ code: 'CUCKOO_SESSION_INVALID' })
  const keyless = createClient({ url: 'http://127.0.0.1:1', allowPrivate: true })
  await expect(keyless.listModels({})).rejects.toMatchObject({ code: 'CUCKOO_API_KEY_MISSING' })
  await keyless.close()
  expect(requests).toBe(0)
})

test('a query field that is left out is left to the coordinator, and a base path is kept', async () => {
  const seen: string[] = []
  const listener: RequestListener = (request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.end()
  }
  const { port } = await connectTo(listener).then(() => impostor?.address() as AddressInfo)
  const based = createClient({ url: `http://127.0.0.1:${port}/cuckoo/`, apiKey, allowPrivate: true })
  await based.getTask({ params: { id: task.id } }).catch(() => undefined)
  await based.getTask({ params: { id: task.id }, query: { waitMs: 5 } }).catch(() => undefined)
  await based.close()
  expect(seen).toEqual([`GET /cuckoo/v1/tasks/${task.id}`, `GET /cuckoo/v1/tasks/${task.id}?waitMs=5`])
})

test('headers of a call go out, but cannot replace the key', async () => {
  let seen: Record<string, unknown> = {}
  const connected = await connectTo((request, response) => {
    seen = request.headers
    response.end()
  })
  await connected.listModels({}, { headers: { 'idempotency-key': 'k-1', authorization: 'Bearer other' } }).catch(() => undefined)
  expect(seen).toMatchObject({ 'idempotency-key': 'k-1', authorization: `Bearer ${apiKey}` })
})

test('a call whose signal has fired is not sent, and rejects with the signal’s reason', async () => {
  server = await startServer()
  const reason = new Error('stopping')
  await expect(server.connect().getHealth({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(server.observations).toEqual([])
})

test('every request is observed once, with its route, status and code', async () => {
  server = await startServer()
  const connected = server.connect()
  await connected.getHealth({})
  await connected.getTask({ params: { id: hashOf('other') } }).catch(() => undefined)
  await fetch(`${server.url}/nowhere`)
  await expect
    .poll(() => server?.observations.map(({ routeId, status, errorCode }) => [routeId, status, errorCode]))
    .toEqual([
      ['getHealth', 200, null],
      ['getTask', 404, 'CUCKOO_TASK_UNKNOWN'],
      [null, 404, 'CUCKOO_API_ROUTE_UNKNOWN'],
    ])
})

test('a stream that ends well but without its marker is cut short', async () => {
  const connected = await connectTo((_request, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end())
  const { events } = await connected.open('createCompletion', { body: { model: 'x', prompt: 'x', stream: true } })
  await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CUCKOO_API_UNREACHABLE' })
})

test('a redirect of a stream is not followed', async () => {
  const connected = await connectTo((_request, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end())
  const error = await connected.open('createCompletion', { body: { model: 'x', prompt: 'x', stream: true } }).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(CuckooError)
  expect(error).toMatchObject({ code: 'CUCKOO_API_RESPONSE_INVALID' })
})
