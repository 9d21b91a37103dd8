import { createSecretKey } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ClientInput, ClientOptions, StreamRouteId } from '../../src/api/client.ts'
import { type AnyInput, encodeRequest } from '../../src/api/clientRequest.ts'
import type { RouteEvent, RouteOutput } from '../../src/api/route.ts'
import { type RouteId, type Routes, routes } from '../../src/api/routes/routes.ts'
import { toSessionHeaders } from '../../src/api/session.ts'
import { createSessionRequest } from '../../src/api/sessionHandshake.ts'
import { CuckooError } from '../../src/errors/cuckooError.ts'
import {
  apiKey,
  coordinatorNode,
  createTestClock,
  domainSeparator,
  hashOf,
  manifest,
  medium,
  mediumBytes,
  minerNode,
  minerOffer,
  minerSigner,
  openTestSession,
  otherNode,
  receipt,
  signedVoucher,
  startServer,
  type TestServer,
  task,
} from './fixtures.ts'

/** A request as a careless peer writes it, past the client's own checks. */
interface RawRequest {
  path?: string
  body?: unknown
  form?: FormData
}

interface Case<K extends RouteId> {
  good:
    | { input: ClientInput<Routes[K]>; check: (output: RouteOutput<Routes[K]>) => void }
    | (K extends StreamRouteId ? { input: ClientInput<Routes[K]>; checkEvents: (events: RouteEvent<Routes[K]>[]) => void } : never)
  /** refused with 400 CUCKOO_API_REQUEST_INVALID naming `param` */
  bad: RawRequest & { param: string | null }
  error: { input: ClientInput<Routes[K]>; options?: Partial<ClientOptions>; headers?: Record<string, string>; code: string; status: number }
}

function toForm(fields: Record<string, string>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', new Blob(['hello']), 'hello.wav')
  return form
}

const lease = { taskId: task.id, attempt: 1 }
const lost = { taskId: hashOf('lost'), attempt: 1 }
const chat = { model: manifest.model, messages: [{ role: 'user' as const, content: 'count' }] }
const taskBody = { model: manifest.model, kind: 'completion' as const, input: { prompt: 'count' }, params: {}, dryRun: false }
const submission = { result: receipt.result, signature: receipt.resultSignature, output: task.output }
const pending = (node: typeof minerNode | typeof otherNode) =>
  createSessionRequest({ node, coordinator: coordinatorNode, signer: minerSigner, domainSeparator, clock: createTestClock() }).request

const strangerSession = {
  id: hashOf('none'),
  sign: () =>
    toSessionHeaders(hashOf('none'), createSecretKey(Buffer.alloc(32)), { method: 'GET', path: '/', time: 1_700_000_000, sequence: 1, body: Buffer.alloc(0) }),
}

const cases: { [K in RouteId]: Case<K> } = {
  listModels: {
    good: { input: {}, check: (output) => expect(output.data[0]?.id).toBe('cuckoo/test') },
    bad: { path: '/v1/models?limit=5', param: 'limit' },
    error: { input: {}, options: { apiKey: 'ck_of_a_stranger' }, code: 'CUCKOO_API_KEY_INVALID', status: 401 },
  },
  createChatCompletion: {
    good: { input: { body: chat }, check: (output) => expect(output.choices[0]?.message.content).toBe('one two three') },
    bad: { body: { ...chat, temperature: 3 }, param: 'temperature' },
    error: { input: { body: { ...chat, model: 'nobody/nothing' } }, code: 'CUCKOO_MODEL_UNKNOWN', status: 404 },
  },
  createCompletion: {
    good: { input: { body: { model: manifest.model, prompt: 'count' } }, check: (output) => expect(output.choices[0]?.finish_reason).toBe('length') },
    bad: { body: { model: manifest.model, prompt: 7 }, param: 'prompt' },
    error: { input: { body: { model: 'nobody/nothing', prompt: 'count' } }, code: 'CUCKOO_MODEL_UNKNOWN', status: 404 },
  },
  createEmbedding: {
    good: { input: { body: { model: manifest.model, input: ['a', 'bc'] } }, check: (output) => expect(output.data[1]?.embedding).toEqual([2, 0.5]) },
    bad: { body: { model: manifest.model, input: [] }, param: 'input' },
    error: { input: { body: { model: 'nobody/nothing', input: 'a' } }, code: 'CUCKOO_MODEL_UNKNOWN', status: 404 },
  },
  uploadMedia: {
    good: { input: { body: mediumBytes }, check: (output) => expect(output).toEqual(medium) },
    bad: { path: '/v1/media?name=cat.png', body: mediumBytes, param: 'name' },
    error: { input: { body: Buffer.alloc(101) }, code: 'CUCKOO_API_MEDIA_TOO_LARGE', status: 413 },
  },
  getMedia: {
    good: { input: { params: { hash: medium.sha256 } }, check: (output) => expect(Buffer.from(output)).toEqual(mediumBytes) },
    bad: { path: '/v1/media/..%2f..%2fetc%2fpasswd', param: 'hash' },
    error: { input: { params: { hash: hashOf('other') } }, code: 'CUCKOO_API_MEDIA_ABSENT', status: 404 },
  },
  createImage: {
    good: { input: { body: { prompt: 'a red square', size: '64x32' } }, check: (output) => expect(output).toMatchObject({ size: '64x32', data: [{}] }) },
    bad: { body: { prompt: 'a red square', size: '64 x 64' }, param: 'size' },
    error: { input: { body: { prompt: 'a red square', model: 'nobody/nothing' } }, code: 'CUCKOO_MODEL_UNKNOWN', status: 404 },
  },
  createTranscription: {
    good: {
      input: { body: { fields: { model: manifest.model, response_format: 'verbose_json', timestamp_granularities: ['word'] }, file: Buffer.from('hello') } },
      check: (output) => expect(output).toMatchObject({ text: 'hello', words: [{ word: 'hello', start: 0, end: 1.5 }] }),
    },
    bad: { form: toForm({ model: manifest.model, response_format: 'xml' }), param: 'response_format' },
    error: {
      input: { body: { fields: { model: 'nobody/nothing', response_format: 'json' }, file: Buffer.from('hello') } },
      code: 'CUCKOO_MODEL_UNKNOWN',
      status: 404,
    },
  },
  createSpeech: {
    good: { input: { body: { model: manifest.model, input: 'hello' } }, check: (output) => expect(Buffer.from(output).toString()).toBe('hello') },
    bad: { body: { model: manifest.model, input: 'hello', speed: 5 }, param: 'speed' },
    error: { input: { body: { model: 'nobody/nothing', input: 'hello' } }, code: 'CUCKOO_MODEL_UNKNOWN', status: 404 },
  },
  createTask: {
    good: {
      input: { query: { waitMs: 250 }, body: { ...taskBody, seed: 18_446_744_073_709_551_615n } },
      check: (output) => expect([output.task?.attempt, output.unitPriceWei, output.task?.receipt]).toEqual([250, 18_446_744_073_709_551_615n, receipt]),
    },
    bad: { body: { ...taskBody, seed: 7 }, param: 'seed' },
    error: { input: { body: { ...taskBody, model: 'nobody/nothing' } }, code: 'CUCKOO_MODEL_UNKNOWN', status: 404 },
  },
  getTask: {
    good: { input: { params: { id: task.id } }, check: (output) => expect(output).toEqual(task) },
    bad: { path: '/v1/tasks/0xABC', param: 'id' },
    error: { input: { params: { id: hashOf('other') } }, code: 'CUCKOO_TASK_UNKNOWN', status: 404 },
  },
  watchTask: {
    good: {
      input: { params: { id: task.id } },
      checkEvents: (events) =>
        expect(events).toEqual([
          { type: 'text', attempt: 1, text: 'one two three' },
          { type: 'state', task },
        ]),
    },
    bad: { path: `/v1/tasks/${task.id.slice(2)}/events`, param: 'id' },
    error: { input: { params: { id: hashOf('other') } }, code: 'CUCKOO_TASK_UNKNOWN', status: 404 },
  },
  cancelTask: {
    good: { input: { params: { id: task.id } }, check: (output) => expect(output.state).toBe('cancelled') },
    bad: { path: `/v1/tasks/${task.id}/cancel`, body: { force: true }, param: null },
    error: { input: { params: { id: hashOf('other') } }, code: 'CUCKOO_TASK_UNKNOWN', status: 404 },
  },
  getReceipt: {
    good: { input: { params: { id: task.id } }, check: (output) => expect(output.receipt).toEqual(receipt) },
    bad: { path: '/v1/tasks/latest/receipt', param: 'id' },
    error: { input: { params: { id: hashOf('other') } }, code: 'CUCKOO_TASK_UNKNOWN', status: 404 },
  },
  getManifest: {
    good: { input: { params: { digest: hashOf('manifest') } }, check: (output) => expect(output).toEqual(manifest) },
    bad: { path: '/v1/manifests/..%2f..%2fetc%2fpasswd', param: 'digest' },
    error: { input: { params: { digest: hashOf('other') } }, code: 'CUCKOO_MODEL_UNKNOWN', status: 404 },
  },
  openSession: {
    good: { input: { body: { ...pending(minerNode), ...minerOffer } }, check: (output) => expect(output.coordinator).toBe(coordinatorNode) },
    bad: { body: { ...pending(minerNode), ...minerOffer, minUnitPriceWei: '0', slots: 0 }, param: 'slots' },
    error: { input: { body: { ...pending(otherNode), ...minerOffer } }, code: 'CUCKOO_MINER_NOT_ELIGIBLE', status: 403 },
  },
  closeSession: {
    good: { input: {}, check: (output) => expect(output).toEqual({}) },
    bad: { path: '/miner/v1/session?all=1', param: 'all' },
    error: { input: {}, options: { session: strangerSession }, code: 'CUCKOO_SESSION_INVALID', status: 401 },
  },
  putBlob: {
    good: { input: { params: { hash: hashOf('abc') }, body: Buffer.from('abc') }, check: (output) => expect(output.usable).toEqual(['cuckoo/test']) },
    bad: { path: '/miner/v1/blobs/tokenizer.json', body: Buffer.from('abc'), param: 'hash' },
    error: { input: { params: { hash: hashOf('abc') }, body: Buffer.from('abd') }, code: 'CUCKOO_BLOB_INVALID', status: 422 },
  },
  pollTask: {
    good: { input: { body: { free: 1, waitMs: 1 } }, check: (output) => expect(output).toMatchObject({ reasons: ['waited 1 ms'], voucher: signedVoucher }) },
    bad: { body: { free: 1, waitMs: Number.MAX_SAFE_INTEGER }, param: 'waitMs' },
    error: { input: { body: { free: 9, waitMs: 0 } }, code: 'CUCKOO_COORDINATOR_DRAINING', status: 503 },
  },
  renewLease: {
    good: { input: { params: lease, body: { unitsDone: 101 } }, check: (output) => expect(output.cancel).toBe(true) },
    bad: { path: `/miner/v1/tasks/${task.id}/-1/heartbeat`, body: { unitsDone: 1 }, param: 'attempt' },
    error: { input: { params: lost, body: { unitsDone: 1 } }, code: 'CUCKOO_TASK_LEASE_LOST', status: 409 },
  },
  getTaskMedia: {
    good: { input: { params: { ...lease, hash: medium.sha256 } }, check: (output) => expect(Buffer.from(output)).toEqual(mediumBytes) },
    bad: { path: `/miner/v1/tasks/${task.id}/1/media/cat.png`, param: 'hash' },
    error: { input: { params: { ...lost, hash: medium.sha256 } }, code: 'CUCKOO_TASK_LEASE_LOST', status: 409 },
  },
  putTaskMedia: {
    good: { input: { params: { ...lease, hash: medium.sha256 }, body: mediumBytes }, check: (output) => expect(output).toEqual({}) },
    bad: { path: `/miner/v1/tasks/${task.id}/0/media/${medium.sha256}`, body: mediumBytes, param: 'attempt' },
    error: { input: { params: { ...lost, hash: medium.sha256 }, body: mediumBytes }, code: 'CUCKOO_TASK_LEASE_LOST', status: 409 },
  },
  pushTokens: {
    good: { input: { params: lease, body: { offset: 0, tokenIds: [1, 2] } }, check: (output) => expect(output.cancel).toBe(false) },
    bad: { body: { offset: 0, tokenIds: [] }, param: 'tokenIds' },
    error: { input: { params: lost, body: { offset: 0, tokenIds: [1] } }, code: 'CUCKOO_TASK_LEASE_LOST', status: 409 },
  },
  submitResult: {
    good: { input: { params: lease, body: submission }, check: (output) => expect(output.units).toBe(3n) },
    bad: { body: { ...submission, result: { ...receipt.result, units: 3 } }, param: 'result.units' },
    error: { input: { params: lost, body: submission }, code: 'CUCKOO_TASK_LEASE_LOST', status: 409 },
  },
  getVoucher: {
    good: { input: {}, check: (output) => expect(output).toEqual({ voucher: signedVoucher, owedWei: 2n ** 100n, reasons: ['no line: its escrow is empty'] }) },
    bad: { path: '/miner/v1/voucher?of=all', param: 'of' },
    error: { input: {}, headers: { 'x-break': '1' }, code: 'CUCKOO_COORDINATOR_DRAINING', status: 503 },
  },
  failTask: {
    good: { input: { params: lease, body: { code: 'X', message: 'y', fatal: false } }, check: (output) => expect(output).toEqual({}) },
    bad: { body: { code: 'X', message: 'y' }, param: 'fatal' },
    error: { input: { params: lost, body: { code: 'X', message: 'y', fatal: false } }, code: 'CUCKOO_TASK_LEASE_LOST', status: 409 },
  },
  getHealth: {
    good: { input: {}, check: (output) => expect(output.status).toBe('ok') },
    bad: { path: '/healthz?x=%F0%9F%90%A6', param: 'x' },
    error: { input: {}, headers: { 'x-break': '1' }, code: 'CUCKOO_INTERNAL', status: 500 },
  },
  getReadiness: {
    good: { input: {}, check: (output) => expect(output.chainId).toBe(31337) },
    bad: { path: '/readyz?verbose', param: 'verbose' },
    error: { input: {}, headers: { 'x-break': '1' }, code: 'CUCKOO_COORDINATOR_NOT_READY', status: 503 },
  },
  getMetrics: {
    good: { input: {}, check: (output) => expect(output).toBe('cuckoo_up 1\n') },
    bad: { path: '/metrics?name[]=x', param: 'name[]' },
    error: { input: {}, headers: { 'x-break': '1' }, code: 'CUCKOO_INTERNAL', status: 500 },
  },
  getOpenApi: {
    good: { input: {}, check: (output) => expect(output).toHaveProperty(['paths', '/v1/tasks', 'post', 'operationId'], 'createTask') },
    bad: { path: '/openapi.json?pretty=1', param: 'pretty' },
    error: { input: {}, headers: { 'x-long': 'x'.repeat(20_000) }, code: 'CUCKOO_API_REQUEST_INVALID', status: 431 },
  },
}

let server: TestServer
beforeEach(async () => {
  server = await startServer()
})
afterEach(() => server.stop())

async function connect(id: RouteId, options: Partial<ClientOptions> = {}) {
  const session = routes[id].auth === 'session' ? { session: await openTestSession(server) } : {}
  return server.connect({ ...session, ...options })
}

async function sendRaw(id: RouteId, raw: RawRequest) {
  const route = routes[id]
  const path = raw.path ?? encodeRequest(route, cases[id].good.input as AnyInput).path
  const body = raw.body === undefined ? new Uint8Array() : raw.body instanceof Uint8Array ? raw.body : Buffer.from(JSON.stringify(raw.body))
  const headers: Record<string, string> = { 'content-type': raw.body instanceof Uint8Array ? 'application/octet-stream' : 'application/json' }
  if (route.auth === 'app') headers.authorization = `Bearer ${apiKey}`
  if (raw.form !== undefined) {
    delete headers['content-type']
    return fetch(`${server.url}${path}`, { method: route.method, headers, body: raw.form })
  }
  if (route.auth === 'session') Object.assign(headers, (await openTestSession(server)).sign({ method: route.method, path, body }))
  return fetch(`${server.url}${path}`, { method: route.method, headers, ...(body.length === 0 ? {} : { body: Buffer.from(body) }) })
}

describe.each(Object.keys(cases) as RouteId[])('%s', (id) => {
  test('answers a good request', async () => {
    const client = await connect(id)
    const { good } = cases[id]
    if ('checkEvents' in good) {
      const events: unknown[] = []
      for await (const event of client.stream[id as 'watchTask'](good.input as never)) events.push(event)
      good.checkEvents(events as never)
    } else {
      const { body, headers, status } = await client.call(id, good.input as never)
      good.check(body as never)
      expect(status).toBe(200)
      expect(headers['x-request-id']).toMatch(/^req-[0-9a-f-]{36}$/)
    }
  })

  test('refuses bad input by name', async () => {
    const response = await sendRaw(id, cases[id].bad)
    const { error } = (await response.json()) as { error: Record<string, unknown> }
    expect([response.status, error.code, error.param, error.type]).toEqual([400, 'CUCKOO_API_REQUEST_INVALID', cases[id].bad.param, 'invalid_request_error'])
  })

  test('says what is wrong with its own code', async () => {
    const { input, options, headers, code, status } = cases[id].error
    const client = await connect(id, options)
    const failure = await client.call(id, input as never, headers === undefined ? {} : { headers }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(CuckooError)
    const error = failure as CuckooError
    expect([error.code, error.httpStatus]).toEqual([code, status])
    expect(error.hint).toBeTruthy()
    expect(error.message).not.toContain('hunter2')
  })
})
