import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import OpenAI, { APIError, AuthenticationError, NotFoundError } from 'openai'
import { afterEach, expect, test } from 'vitest'
import type { Handlers } from '../../src/api/handler.ts'
import { streamDiverged } from '../../src/errors/api.ts'
import { apiKey, hashOf, manifest, minerNode, startServer, type TestServer, task } from './fixtures.ts'

let server: TestServer
afterEach(() => server?.stop())

const chat = { model: manifest.model, messages: [{ role: 'user' as const, content: 'count' }], stream: true }
const completion = { model: manifest.model, prompt: 'count', stream: true }

const toChunk = (text: string) => ({
  id: 'cmpl-1',
  object: 'text_completion' as const,
  created: 1,
  model: manifest.model,
  choices: [{ index: 0, text, logprobs: null, finish_reason: null }],
})

async function readRaw(path: string, body: object): Promise<string> {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(response.headers.get('x-request-id')).toMatch(/^req-/)
  return response.text()
}

test('a chat streams piece by piece and ends with the marker', async () => {
  server = await startServer()
  const { events, headers } = await server.connect().open('createChatCompletion', { body: chat })
  const pieces: (string | undefined)[] = []
  for await (const event of events) pieces.push(event.choices[0]?.delta.content)
  expect(pieces).toEqual(['one', ' two', ' three', ''])
  expect(headers['x-cuckoo-task']).toBe(task.id)
  expect(await readRaw('/v1/chat/completions', chat)).toMatch(/\n\ndata: \[DONE\]\n\n$/)
})

test('an error in mid-stream is the last event, coded, and no marker follows', async () => {
  server = await startServer()
  const texts: unknown[] = []
  const read = async () => {
    for await (const event of server.connect().stream.createCompletion({ body: completion })) texts.push(event.choices[0]?.text)
  }
  await expect(read()).rejects.toMatchObject({ code: 'CUCKOO_TASK_STREAM_DIVERGED', kind: 'unavailable', hint: streamDiverged({ taskId: '0x' }).hint })
  expect(texts).toEqual(['one'])
  const raw = await readRaw('/v1/completions', completion)
  const last = raw.trim().split('\n\n').at(-1) as string
  expect(JSON.parse(last.slice('data: '.length))).toMatchObject({ error: { code: 'CUCKOO_TASK_STREAM_DIVERGED', type: 'server_error', param: null } })
  expect(server.observations.at(-1)).toMatchObject({ routeId: 'createCompletion', streamed: true, errorCode: 'CUCKOO_TASK_STREAM_DIVERGED' })
})

test('an event that breaks its schema ends the stream as an internal error without detail', async () => {
  const createCompletion: Handlers['createCompletion'] = async () => ({
    events: (async function* () {
      yield { ...toChunk('one'), created: 'yesterday' as never }
    })(),
  })
  server = await startServer({ handlers: { createCompletion } })
  const raw = await readRaw('/v1/completions', completion)
  expect(raw).toContain('"code":"CUCKOO_INTERNAL"')
  expect(raw).not.toContain('yesterday')
})

test('a reader that leaves fires the signal, and the handler’s stream is ended', async () => {
  const seen: string[] = []
  const createCompletion: Handlers['createCompletion'] = async (_input, { signal }) => ({
    events: (async function* () {
      try {
        yield toChunk('one')
        await once(signal, 'abort')
        seen.push(`aborted: ${signal.reason.message}`)
      } finally {
        seen.push('ended')
      }
    })(),
  })
  server = await startServer({ handlers: { createCompletion } })
  for await (const event of server.connect().stream.createCompletion({ body: completion })) {
    expect(event.choices[0]?.text).toBe('one')
    break
  }
  await expect.poll(() => seen).toEqual(['aborted: the caller has gone away', 'ended'])
  expect(server.observations.at(-1)).toMatchObject({ status: 499, streamed: true })

  const controller = new AbortController()
  const read = async () => {
    for await (const _event of server.connect().stream.createCompletion({ body: completion }, { signal: controller.signal }))
      controller.abort(new Error('enough'))
  }
  await expect(read()).rejects.toThrow('enough')
  await expect.poll(() => seen.length).toBe(4)
})

test('a caller that leaves a waiting request fires the signal too', async () => {
  let aborted = false
  const controller = new AbortController()
  const getHealth: Handlers['getHealth'] = async (_input, { signal }) => {
    setImmediate(() => controller.abort(new Error('never mind')))
    await once(signal, 'abort')
    aborted = true
    throw signal.reason
  }
  server = await startServer({ handlers: { getHealth } })
  const waiting = server.connect().getHealth({}, { signal: controller.signal })
  await expect(waiting).rejects.toThrow('never mind')
  await expect.poll(() => aborted).toBe(true)
  await expect.poll(() => server.observations.at(-1)).toMatchObject({ status: 499, errorCode: null })
  expect(server.logged).toEqual([])
})

test('silence is filled with comments, which readers do not see', async () => {
  const createCompletion: Handlers['createCompletion'] = async () => ({
    events: (async function* () {
      yield toChunk('one')
      await new Promise((resolve) => setTimeout(resolve, 350))
      yield toChunk('two')
    })(),
  })
  server = await startServer({ handlers: { createCompletion }, limits: { eventKeepAliveMs: 100 } })
  const texts: unknown[] = []
  // The reader's own patience is shorter than the silence: the comments are what keeps it.
  for await (const event of server.connect({ timeoutMs: 2_000 }).stream.createCompletion({ body: completion })) texts.push(event.choices[0]?.text)
  expect(texts).toEqual(['one', 'two'])
  const raw = await readRaw('/v1/completions', completion)
  expect(raw.match(/^: keep-alive$/gm)?.length).toBeGreaterThanOrEqual(2)
})

test('a source that heeds no signal is told to end all the same', async () => {
  let returned = false
  const hanging: AsyncIterable<ReturnType<typeof toChunk>> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => undefined),
      return: async () => {
        returned = true
        return { done: true, value: undefined }
      },
    }),
  }
  server = await startServer({ handlers: { createCompletion: async () => ({ events: hanging }) } })
  const controller = new AbortController()
  await server.connect().open('createCompletion', { body: completion }, { signal: controller.signal })
  controller.abort()
  await expect.poll(() => returned, { timeout: 2_000 }).toBe(true)
})

test('headers come before the first event is there, and events as they are made', async () => {
  let setOpened: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    setOpened = resolve
  })
  const createCompletion: Handlers['createCompletion'] = async (_input, { signal }) => ({
    headers: { 'x-cuckoo-task': task.id },
    events: (async function* () {
      await opened
      yield toChunk('one')
      await once(signal, 'abort')
    })(),
  })
  server = await startServer({ handlers: { createCompletion } })
  const controller = new AbortController()
  const { events, headers } = await server.connect().open('createCompletion', { body: completion }, { signal: controller.signal })
  expect(headers['x-cuckoo-task']).toBe(task.id)
  setOpened()
  const iterator = events[Symbol.asyncIterator]()
  expect((await iterator.next()).value?.choices[0]?.text).toBe('one')
  controller.abort()
  await expect(iterator.next()).rejects.toMatchObject({ name: 'AbortError' })
})

test('a reader that does not take what is sent is cut, and what it held back is let go', async () => {
  let produced = 0
  let ended = false
  const createCompletion: Handlers['createCompletion'] = async (_input, { signal }) => ({
    events: (async function* () {
      try {
        while (!signal.aborted) {
          produced++
          yield toChunk('x'.repeat(65_536))
        }
      } finally {
        ended = true
      }
    })(),
  })
  server = await startServer({ handlers: { createCompletion }, limits: { stalledMs: 500 } })
  const socket = connectSocket(server.port, '127.0.0.1')
  socket.on('error', () => undefined)
  const body = JSON.stringify(completion)
  socket.pause()
  socket.write(
    `POST /v1/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${apiKey}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await expect.poll(() => ended, { timeout: 10_000 }).toBe(true)
  // Back-pressure: what the two sockets buffer, not all that could be made.
  expect(produced * 65_536).toBeLessThan(64 * 2 ** 20)
  socket.destroy()
})

test('a stream that is cut before its marker is an error, not an end', async () => {
  server = await startServer({
    handlers: {
      createCompletion: async () => ({
        events: (async function* () {
          yield toChunk('one')
          setTimeout(() => void server.server.close({ graceMs: 0 }), 50)
          await new Promise(() => undefined)
        })(),
      }),
    },
  })
  const read = async () => {
    for await (const event of server.connect().stream.createCompletion({ body: completion })) expect(event.choices[0]?.text).toBe('one')
  }
  await expect(read()).rejects.toMatchObject({ code: 'CUCKOO_API_UNREACHABLE' })
})

test('asked for a stream, a plain answer is not one; asked for a body, a stream is not one', async () => {
  server = await startServer()
  const client = server.connect()
  await expect(client.open('createCompletion', { body: { ...completion, stream: false } })).rejects.toMatchObject({ code: 'CUCKOO_API_RESPONSE_INVALID' })
  await expect(client.createChatCompletion({ body: chat })).rejects.toMatchObject({ code: 'CUCKOO_API_RESPONSE_INVALID' })
})

test('the official OpenAI client gets an answer, a stream and errors that it understands', async () => {
  server = await startServer()
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'count' }]
  const answer = await openai.chat.completions.create({ model: manifest.model, messages }).withResponse()
  expect(answer.data.choices[0]?.message.content).toBe('one two three')
  expect([answer.response.headers.get('x-cuckoo-miner'), answer.request_id]).toEqual([minerNode, answer.response.headers.get('x-request-id')])

  let text = ''
  for await (const chunk of await openai.chat.completions.create({ model: manifest.model, messages, stream: true })) text += chunk.choices[0]?.delta.content
  expect(text).toBe('one two three')

  const unknown = await openai.chat.completions.create({ model: 'nobody/nothing', messages }).catch((error: unknown) => error)
  expect(unknown).toBeInstanceOf(NotFoundError)
  expect(unknown).toMatchObject({ status: 404, code: 'CUCKOO_MODEL_UNKNOWN', type: 'invalid_request_error', param: null })
  expect((unknown as Error).message).toContain("No miner here offers the model 'nobody/nothing'.")

  const hot = await openai.chat.completions.create({ model: manifest.model, messages, temperature: 9 }).catch((error: unknown) => error)
  expect(hot).toMatchObject({ status: 400, code: 'CUCKOO_API_REQUEST_INVALID', param: 'temperature' })

  const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'ck_stranger_0000', maxRetries: 0 })
  expect(await stranger.models.list().catch((error: unknown) => error)).toBeInstanceOf(AuthenticationError)

  const broken = await openai.completions.create({ model: manifest.model, prompt: 'count', stream: true })
  const pieces: string[] = []
  const read = async () => {
    for await (const chunk of broken) pieces.push(chunk.choices[0]?.text ?? '')
  }
  const failure = await read().catch((error: unknown) => error)
  expect([pieces, failure instanceof APIError, (failure as APIError).code]).toEqual([['one'], true, 'CUCKOO_TASK_STREAM_DIVERGED'])
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['cuckoo/test'])
  expect((await openai.embeddings.create({ model: manifest.model, input: 'abc', encoding_format: 'float' })).data[0]?.embedding).toEqual([3, 0.5])
})

test('an unknown task is a plain error before any event', async () => {
  server = await startServer()
  const stream = server.connect().stream.watchTask({ params: { id: hashOf('other') } })
  await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CUCKOO_TASK_UNKNOWN', httpStatus: 404 })
})
