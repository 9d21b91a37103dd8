import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { apiKey, manifest, startServer, type TestServer } from './fixtures.ts'

let server: TestServer
afterEach(() => server?.stop())

type FormParts = readonly (readonly [name: string, value: string | Blob])[]
const hello = new Blob(['hello'])
const good: FormParts = [
  ['model', manifest.model],
  ['file', hello],
]

async function post(body: FormData | Buffer | string, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}/v1/audio/transcriptions`, { method: 'POST', headers: { authorization: `Bearer ${apiKey}`, ...headers }, body })
  const text = await response.text()
  const { error } = text.startsWith('{') ? (JSON.parse(text) as { error?: { code: string; param: string | null; message: string } }) : {}
  return { status: response.status, type: response.headers.get('content-type'), text, code: error?.code, param: error?.param, message: error?.message }
}

function toForm(parts: FormParts): FormData {
  const form = new FormData()
  for (const [name, value] of parts) form.append(name, value)
  return form
}

test('fields may come before and after the file, and arrays as name[]', async () => {
  server = await startServer()
  const form = toForm([
    ['file', hello],
    ['model', manifest.model],
    ['timestamp_granularities[]', 'word'],
    ['language', 'en'],
  ])
  expect(JSON.parse((await post(form)).text)).toMatchObject({ text: 'hello', language: 'en', words: [{ word: 'hello' }] })
})

test('a string answer is plain text, in the client too', async () => {
  server = await startServer()
  expect(await post(toForm([...good, ['response_format', 'text']]))).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8', text: 'hello' })
  const body = { fields: { model: manifest.model, response_format: 'text' as const }, file: Buffer.from('hello') }
  expect(await server.connect().createTranscription({ body })).toBe('hello')
})

const invalid = 'CUCKOO_API_REQUEST_INVALID'
test.each<[string, FormParts, string | null, RegExp]>([
  ['no file', [['model', manifest.model]], 'file', /is missing/],
  ['two files', [...good, ['file', hello]], null, /more than one file/],
  [
    'a file under another name',
    [
      ['model', manifest.model],
      ['image', hello],
    ],
    'image',
    /not where the file belongs/,
  ],
  ['a field twice', [...good, ['model', manifest.model]], 'model', /comes twice/],
  ['a long field', [...good, ['language', 'x'.repeat(16_385)]], 'language', /longer than 16384 bytes/],
  ['many fields', [...good, ...Array.from({ length: 33 }, (_, index) => [`f${index}`, 'x'] as const)], null, /more than 32 fields/],
  ['a field that reaches the prototype', [...good, ['__proto__', 'x']], null, /is not multipart/],
])('%s is refused', async (_, parts, param, message) => {
  server = await startServer()
  expect(await post(toForm(parts))).toMatchObject({ status: 400, code: invalid, param, message: expect.stringMatching(message) })
})

test('what is no form is refused', async () => {
  server = await startServer()
  expect(await post('{}', { 'content-type': 'application/json' })).toMatchObject({ status: 415 })
  expect(await post('hello', { 'content-type': 'multipart/form-data' })).toMatchObject({ status: 400, code: invalid })
  expect(await post('hello', { 'content-type': 'multipart/form-data; boundary=x' })).toMatchObject({ status: 400, code: invalid })
  const cut = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhel'
  expect(await post(cut, { 'content-type': 'multipart/form-data; boundary=x' })).toMatchObject({ status: 400, code: invalid })
  expect(await post('', { 'content-type': 'multipart/form-data; boundary=x' })).toMatchObject({ status: 400, code: invalid })
})

test('a form is refused where none is taken, and raw media where a form is', async () => {
  server = await startServer()
  for (const path of ['/v1/media', '/v1/chat/completions']) {
    const headers = { authorization: `Bearer ${apiKey}` }
    const response = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: toForm(good) })
    expect([path, response.status]).toEqual([path, 415])
  }
})

test('a file over the limit is 413, told by its length or found on the way', async () => {
  server = await startServer()
  const large = toForm([
    ['model', manifest.model],
    ['file', new Blob([Buffer.alloc(26 * 2 ** 20)])],
  ])
  expect(await post(large)).toMatchObject({ status: 413, code: 'CUCKOO_API_BODY_TOO_LARGE' })
  const chunked = httpRequest(`${server.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'multipart/form-data; boundary=x', 'transfer-encoding': 'chunked' },
  })
  chunked.on('error', () => undefined)
  const answered = once(chunked, 'response')
  chunked.write('--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n')
  for (let sent = 0; sent < 26; sent++) chunked.write(Buffer.alloc(2 ** 20))
  const [response] = (await answered) as [{ statusCode: number }]
  expect(response.statusCode).toBe(413)
  chunked.destroy()
})

test('a caller that leaves in the middle of its form leaves nothing behind', async () => {
  server = await startServer()
  const request = httpRequest(`${server.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'multipart/form-data; boundary=x', 'content-length': '1000000' },
  })
  request.on('error', () => undefined)
  request.write('--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhel')
  const [socket] = (await once(request, 'socket')) as [Socket]
  if (socket.connecting) await once(socket, 'connect')
  await new Promise((resolve) => setTimeout(resolve, 300))
  request.destroy()
  await expect.poll(() => server.observations.map(({ routeId, status }) => [routeId, status])).toEqual([['createTranscription', 499]])
})

test('large bodies that are under way together are bounded: what is over it is sent away for a moment', async () => {
  const arrived: (() => void)[] = []
  server = await startServer({
    limits: { maxUploadBytes: 2_500_000 },
    handlers: {
      uploadMedia: async () => {
        await new Promise<void>((resolve) => arrived.push(resolve))
        throw new Error('enough')
      },
    },
  })
  const client = server.connect()
  const body = Buffer.alloc(1_000_000)
  const waiting = [client.uploadMedia({ body }), client.uploadMedia({ body })].map((upload) => upload.catch(() => 'done'))
  await expect.poll(() => arrived.length).toBe(2)
  await expect(client.uploadMedia({ body })).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_API_UPLOADS_FULL', httpStatus: 503 }))
  expect(await client.createEmbedding({ body: { model: manifest.model, input: 'a' } })).toMatchObject({ object: 'list' })
  for (const release of arrived) release()
  expect(await Promise.all(waiting)).toEqual(['done', 'done'])
  const again = client.uploadMedia({ body }).catch(() => 'done')
  await expect.poll(() => arrived.length).toBe(3)
  arrived[2]?.()
  expect(await again).toBe('done')
})
