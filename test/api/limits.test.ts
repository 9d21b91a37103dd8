import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect as connectSocket, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { createServer } from '../../src/api/server.ts'
import { apiKey, manifest, openTestSession, startServer, type TestServer, task } from './fixtures.ts'

let server: TestServer
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server?.stop()
})

const chat = { model: manifest.model, messages: [{ role: 'user', content: 'count' }] }

async function post(body: string | Buffer, headers: Record<string, string> = {}, path = '/v1/chat/completions') {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
    body,
  })
  return { status: response.status, headers: response.headers, error: ((await response.json()) as { error?: Record<string, unknown> }).error }
}

/** Sends 64 KiB pieces until the answer is there, at most `maxBytes`, and says how much went out. */
function sendEndless(headers: Record<string, string>, maxBytes: number): Promise<{ status: number; code: string; sentBytes: number }> {
  return new Promise((resolve, reject) => {
    const piece = Buffer.alloc(65_536, ' ')
    let sentBytes = 0
    let answered = false
    const request = httpRequest(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
    })
    request.on('response', async (response) => {
      answered = true
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      request.destroy()
      resolve({ status: response.statusCode as number, code: JSON.parse(Buffer.concat(chunks).toString()).error.code, sentBytes })
    })
    request.on('error', (error) => (answered ? undefined : reject(error)))
    const pump = () => {
      while (!answered && sentBytes < maxBytes) {
        sentBytes += piece.length
        if (!request.write(piece)) {
          request.once('drain', pump)
          return
        }
      }
    }
    pump()
  })
}

test('a body of 1 GiB with its length is refused before it is read', async () => {
  server = await startServer()
  const outcome = await sendEndless({ 'content-length': String(2 ** 30) }, 2 ** 28)
  expect(outcome).toMatchObject({ status: 413, code: 'CUCKOO_API_BODY_TOO_LARGE' })
  expect(outcome.sentBytes).toBeLessThan(2 ** 26)
})

test('each route has its own limit', async () => {
  server = await startServer()
  const content = 'x'.repeat(3_000_000)
  expect(await post(JSON.stringify({ ...chat, messages: [{ role: 'user', content }] }))).toMatchObject({ status: 200 })
  const cancel = await post(content.slice(0, 70_000), {}, `/v1/tasks/${task.id}/cancel`)
  expect(cancel).toMatchObject({ status: 413, error: { message: 'The body is larger than the 65536 bytes this route takes.' } })
})

test('an endless chunked body is refused at the limit, with flat memory', async () => {
  server = await startServer()
  await sendEndless({ 'transfer-encoding': 'chunked' }, 2 ** 28)
  const before = process.memoryUsage().rss
  for (let round = 0; round < 5; round++) {
    expect(await sendEndless({ 'transfer-encoding': 'chunked' }, 2 ** 28)).toMatchObject({ status: 413, code: 'CUCKOO_API_BODY_TOO_LARGE' })
  }
  // Client and server in one process; the route takes 4 MiB, and kept bodies of five rounds of up to 256 MiB would show.
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(96)
})

test('a refused sender that goes on is cut, one that ends keeps its connection', async () => {
  server = await startServer()
  const socket = openSocket()
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${apiKey}\r\ncontent-type: application/json\r\n`
  socket.write(`${head}content-length: 5000000\r\n\r\n`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  expect(first.toString()).toMatch(/^HTTP\/1\.1 413 /)
  socket.write(Buffer.alloc(5_000_000))
  socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
  const [second] = (await once(socket, 'data')) as [Buffer]
  expect(second.toString()).toMatch(/^HTTP\/1\.1 200 /)
  const stubborn = openSocket()
  stubborn.write(`${head}content-length: 1000000000\r\n\r\n`)
  const trickle = setInterval(() => stubborn.write('x'), 50)
  const startedMs = Date.now()
  await waitForClose(stubborn)
  clearInterval(trickle)
  expect(Date.now() - startedMs).toBeLessThan(5_000)
})

test('an encoded body is refused, whatever is in it', async () => {
  server = await startServer()
  const bomb = gzipSync(Buffer.alloc(10_000_000))
  expect(await post(bomb, { 'content-encoding': 'gzip' })).toMatchObject({ status: 415, error: { code: 'CUCKOO_API_MEDIA_TYPE_UNSUPPORTED' } })
})

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'text/json; application/json', ';;'])(
  'a body of type %s is refused',
  async (type) => {
    server = await startServer()
    expect(await post(JSON.stringify(chat), { 'content-type': type })).toMatchObject({ status: 415, error: { code: 'CUCKOO_API_MEDIA_TYPE_UNSUPPORTED' } })
  },
)

test.each([
  ['nothing', '', 'is missing'],
  ['half an object', '{"model":', 'is not JSON'],
  ['10,000 levels', `{"model":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'deeper than 64 levels'],
  ['10,000 open brackets', '['.repeat(10_000), 'deeper than 64 levels'],
  ['a number', '42', 'expected object'],
  ['NaN', '{"model":"m","messages":[],"max_tokens":NaN}', 'is not JSON'],
  ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'is not UTF-8'],
  ['__proto__', '{"__proto__":{"stream":true},"model":"cuckoo/test","messages":[{"role":"user","content":"x"}]}', '__proto__'],
  ['an escaped __proto__', '{"\\u005f_proto__":{"stream":true},"model":"cuckoo/test","messages":[{"role":"user","content":"x"}]}', '__proto__'],
])('a body of %s is refused in words', async (_name, body, words) => {
  server = await startServer()
  const { status, error } = await post(body as string)
  expect(status).toBe(400)
  expect(error).toMatchObject({ code: 'CUCKOO_API_REQUEST_INVALID' })
  expect(error?.message).toContain(words)
  expect(({} as { stream?: boolean }).stream).toBeUndefined()
})

test('brackets and __proto__ in a text are only text', async () => {
  server = await startServer()
  const content = `${'[{'.repeat(5_000)}"\\" "__proto__": 1`
  expect(await post(JSON.stringify({ ...chat, messages: [{ role: 'user', content }] }))).toMatchObject({ status: 200 })
})

test('a huge unknown key does not come back in the answer', async () => {
  server = await startServer()
  const { status, error } = await post(JSON.stringify({ model: 'x', kind: 'chat', input: { prompt: 'x' }, ['k'.repeat(1_000_000)]: 1 }), {}, '/v1/tasks')
  expect(status).toBe(400)
  expect(JSON.stringify(error).length).toBeLessThan(1_000)
})

function waitForClose(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
    // Unread bytes hold the end of the stream back.
    socket.resume()
  })
}

function openSocket(): Socket {
  const socket = connectSocket(server.port, '127.0.0.1')
  socket.on('error', () => undefined)
  sockets.push(socket)
  return socket
}

test('two hundred slow sockets are closed, and others do not notice', async () => {
  server = await startServer({ limits: { headersTimeoutMs: 400, requestTimeoutMs: 800, timeoutCheckMs: 100 } })
  const silent = Array.from({ length: 70 }, () => openSocket())
  const slowHeaders = Array.from({ length: 70 }, () => openSocket())
  const slowBodies = Array.from({ length: 60 }, () => openSocket())
  const answers: string[] = []
  for (const socket of [...slowHeaders, ...slowBodies]) socket.on('data', (data) => answers.push(data.toString()))
  for (const socket of slowHeaders) socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-a: ')
  for (const socket of slowBodies) {
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${apiKey}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`,
    )
  }
  const trickle = setInterval(() => {
    for (const socket of [...slowHeaders, ...slowBodies]) if (!socket.destroyed) socket.write(' ')
  }, 100)
  const closed = Promise.all([...silent, ...slowHeaders, ...slowBodies].map(waitForClose))
  let open = true
  void closed.then(() => {
    open = false
  })
  const client = server.connect()
  const timesMs: number[] = []
  while (open) {
    const startedMs = performance.now()
    await client.getHealth({})
    timesMs.push(performance.now() - startedMs)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  clearInterval(trickle)
  expect(timesMs.sort((a, b) => a - b)[Math.floor(timesMs.length / 2)]).toBeLessThan(100)
  expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 408 ')).length).toBeGreaterThan(100)
  expect(answers[0]).toContain('CUCKOO_API_REQUEST_INVALID')
})

test('a slow caller that keeps its half open does not keep a connection', async () => {
  server = await startServer({ limits: { headersTimeoutMs: 200, timeoutCheckMs: 50 } })
  const socket = connectSocket({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  sockets.push(socket)
  socket.write('GET /healthz HTTP/1.1\r\n')
  await once(socket.resume(), 'end')
  const startedMs = Date.now()
  await server.server.close({ graceMs: 5_000 })
  expect(Date.now() - startedMs).toBeLessThan(2_000)
})

test('a long poll outlasts every timeout of a request', async () => {
  server = await startServer({ limits: { headersTimeoutMs: 200, requestTimeoutMs: 300, timeoutCheckMs: 50, keepAliveMs: 200 } })
  const client = server.connect({ session: await openTestSession(server), timeoutMs: 500 })
  expect((await client.pollTask({ body: { free: 1, waitMs: 1_500 } })).reasons).toEqual(['waited 1500 ms'])
})

test('connections over the limit are dropped, those within work', async () => {
  server = await startServer({ limits: { maxConnections: 3 } })
  const client = server.connect()
  await client.getHealth({})
  const [one, two, three] = [openSocket(), openSocket(), openSocket()]
  three?.resume()
  await expect.poll(() => three?.destroyed, { timeout: 2_000 }).toBe(true)
  expect([one?.destroyed, two?.destroyed]).toEqual([false, false])
  expect((await client.getHealth({})).status).toBe('ok')
})

test.each([
  ['the root', 'GET / HTTP/1.1', 404, 'CUCKOO_API_ROUTE_UNKNOWN'],
  ['another method', 'GET /v1/chat/completions HTTP/1.1', 404, 'CUCKOO_API_ROUTE_UNKNOWN'],
  ['a preflight', 'OPTIONS /v1/models HTTP/1.1', 404, 'CUCKOO_API_ROUTE_UNKNOWN'],
  ['WebDAV', 'PROPFIND /healthz HTTP/1.1', 404, 'CUCKOO_API_ROUTE_UNKNOWN'],
  ['a broken escape', 'GET /v1/manifests/%zz HTTP/1.1', 400, 'CUCKOO_API_REQUEST_INVALID'],
  ['a long name', `GET /v1/manifests/${'a'.repeat(5_000)} HTTP/1.1`, 400, 'CUCKOO_API_REQUEST_INVALID'],
  ['another protocol', 'BREW /pot HTCPCP/1.0', 400, 'CUCKOO_API_REQUEST_INVALID'],
])('%s is answered in our shape, and without CORS', async (_name, line, status, code) => {
  server = await startServer()
  const socket = openSocket()
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  socket.write(`${line}\r\nhost: x\r\norigin: https://evil.example\r\nconnection: close\r\n\r\n`)
  await waitForClose(socket)
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(answer).toContain(`"code":"${code}"`)
  expect(answer.toLowerCase()).not.toContain('access-control')
  expect(answer).not.toMatch(/fastify|FST_|statusCode/i)
})

test('a request id comes back when it is sane and is made when it is not', async () => {
  server = await startServer()
  const idOf = async (id: string) => (await fetch(`${server.url}/nowhere`, { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  expect(await idOf('trace-1.2:3_x')).toBe('trace-1.2:3_x')
  expect(await idOf('a b"c')).toMatch(/^req-/)
  expect(await idOf('x'.repeat(129))).toMatch(/^req-/)
})

test('an answer that breaks its schema is an internal error that says so only in the log', async () => {
  server = await startServer({ handlers: { getHealth: async () => ({ body: { status: 'fine', version: 'secret-build' } as never }) } })
  const response = await fetch(`${server.url}/healthz`)
  const text = await response.text()
  expect([response.status, text.includes('secret-build'), text.includes('schema')]).toEqual([500, false, false])
  expect(JSON.parse(text).error).toMatchObject({ code: 'CUCKOO_INTERNAL', type: 'server_error' })
  expect(server.logged.find(({ level }) => level === 'error')?.message).toContain("the answer of getHealth breaks its own schema at 'status'")
})

test('errors that pass say when to try again', async () => {
  server = await startServer()
  const response = await fetch(`${server.url}/readyz`, { headers: { 'x-break': '1' } })
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2'])
  const client = server.connect()
  await expect(client.getReadiness({}, { headers: { 'x-break': '1' } })).rejects.toMatchObject({ kind: 'unavailable', facts: { retryAfterSeconds: 2 } })
})

test('a key is never logged, and an unknown one is named by its first characters at most', async () => {
  server = await startServer()
  const response = await fetch(`${server.url}/v1/models`, { headers: { authorization: 'Bearer ck_live_this-is-the-secret-part' } })
  expect(await response.text()).toContain("'ck_live_…'")
  expect(await (await fetch(`${server.url}/v1/models`)).json()).toMatchObject({ error: { code: 'CUCKOO_API_KEY_MISSING', type: 'authentication_error' } })
  expect(JSON.stringify(server.logged)).not.toContain('secret-part')
})

test('a port in use is named', async () => {
  server = await startServer()
  const second = createServer({
    handlers: {} as never,
    authenticateApp: () => null,
    sessions: server.sessions,
    logger: { debug: () => undefined, warn: () => undefined, error: () => undefined },
  })
  await expect(second.listen({ port: server.port })).rejects.toMatchObject({
    code: 'CUCKOO_SERVER_PORT_IN_USE',
    kind: 'config',
    message: `Port ${server.port} on 127.0.0.1 is in use by another program.`,
  })
  await expect(second.listen({ host: '203.0.113.7', port: 0 })).rejects.toMatchObject({ code: 'CUCKOO_SERVER_LISTEN_FAILED' })
  await second.close({ graceMs: 0 })
})

test('close refuses what is new, lets the rest end, and cuts what takes too long', async () => {
  server = await startServer()
  const session = await openTestSession(server)
  const client = server.connect({ session })
  const short = client.pollTask({ body: { free: 1, waitMs: 300 } })
  const long = client.pollTask({ body: { free: 1, waitMs: 30_000 } }).catch((error: unknown) => error)
  await expect.poll(() => server.observations.length).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const startedMs = Date.now()
  await server.server.close({ graceMs: 600 })
  expect(Date.now() - startedMs).toBeLessThan(3_000)
  expect((await short).reasons).toEqual(['waited 300 ms'])
  expect(await long).toMatchObject({ code: 'CUCKOO_API_UNREACHABLE' })
  await expect(server.connect().getHealth({})).rejects.toMatchObject({ code: 'CUCKOO_API_UNREACHABLE' })
})

test('media that are sent together are bounded, however slowly their readers take them; a reader that leaves makes room', async () => {
  const data = Buffer.alloc(16 * 2 ** 20, 7)
  server = await startServer({ limits: { maxDownloadBytes: 40 * 2 ** 20 }, handlers: { getMedia: async () => ({ body: data }) } })
  const path = `/v1/media/0x${'a'.repeat(64)}`
  const readers = [1, 2].map(() => {
    const socket = connectSocket(Number(new URL(server.url).port), '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => undefined).pause()
    socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`)
    return socket
  })
  const fetchMedia = () => fetch(`${server.url}${path}`)
  await expect.poll(async () => (await fetchMedia()).status).toBe(503)
  const refused = await fetchMedia()
  expect(await refused.json()).toMatchObject({ error: { code: 'CUCKOO_API_DOWNLOADS_FULL' } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  for (const reader of readers) reader.destroy()
  await expect.poll(async () => (await fetchMedia()).status).toBe(200)
})
