import { createHash } from 'node:crypto'
import { type Client, type ClientOptions, createClient } from '../../src/api/client.ts'
import type { ApiLogger, Handlers, Observation } from '../../src/api/handler.ts'
import type { ServerLimits } from '../../src/api/httpApp.ts'
import { createServer, type Server } from '../../src/api/server.ts'
import { acceptSession, type ClientSession, createSessionRequest, verifySessionAccept } from '../../src/api/sessionHandshake.ts'
import { createSessionRegistry, type SessionRegistry } from '../../src/api/sessionRegistry.ts'
import { createLocalSigner, createSignatureVerifier } from '../../src/chain/signer.ts'
import { sha256 } from '../../src/domain/canonical.ts'
import { toDomainSeparator } from '../../src/domain/eip712.ts'
import type { Hash } from '../../src/domain/hex.ts'
import type { Manifest } from '../../src/domain/manifest.ts'
import type { SignedVoucher } from '../../src/domain/payments.ts'
import type { Receipt } from '../../src/domain/receipt.ts'
import type { AppRecord } from '../../src/domain/storePorts.ts'
import * as errors from '../../src/errors/api.ts'

export const domainSeparator = toDomainSeparator({ chainId: 31337, verifyingContract: '0x5fbdb2315678afecb367f032d93f642f64180aa3' })
export const verifier = createSignatureVerifier()
export const coordinatorSigner = createLocalSigner(`0x${'11'.repeat(32)}`)
export const minerSigner = createLocalSigner(`0x${'22'.repeat(32)}`)
export const coordinatorNode = `0x${'c0'.repeat(20)}` as const
export const minerNode = `0x${'a1'.repeat(20)}` as const
export const otherNode = `0x${'b2'.repeat(20)}` as const

export const hashOf = (text: string): Hash => sha256(text)
export const apiKey = 'ck_test_0123456789abcdef'
export const app: AppRecord = {
  id: 'app-1',
  name: 'test',
  keyHash: `0x${createHash('sha256').update(apiKey).digest('hex')}`,
  keyPrefix: apiKey.slice(0, 8),
  createdAt: 1_700_000_000,
  revokedAt: null,
}

/** A clock that stands until it is moved. */
export function createTestClock(startMs = Date.now()) {
  let nowMs = startMs
  return {
    nowMs: () => nowMs,
    advance: (ms: number) => {
      nowMs += ms
    },
  }
}
export const systemClock = { nowMs: () => Date.now() }

export const manifest: Manifest = {
  version: 1,
  model: 'cuckoo/test',
  revision: null,
  kind: 'text',
  dtype: 'fp32',
  files: [{ path: 'tokenizer.json', bytes: 3, sha256: hashOf('abc') }],
  limits: { contextTokens: 128, maxOutputTokens: 64, maxBatch: 1 },
  chatTemplate: true,
  eosTokenIds: [2],
  pooling: null,
  proof: 'none',
}

/** over 2^64 wei: a JSON number would round it */
export const signedVoucher: SignedVoucher = {
  voucher: { coordinator: coordinatorNode, miner: minerNode, cumulativeWei: 2n ** 90n + 1n, issuedAt: 1_700_000_000n },
  signature: `0x${'ef'.repeat(65)}`,
}

export const receipt: Receipt = {
  assignment: {
    taskId: hashOf('task'),
    attempt: 1,
    coordinator: coordinatorNode,
    miner: minerNode,
    manifest: hashOf('manifest'),
    inputHash: hashOf('input'),
    paramsHash: hashOf('params'),
    // over 2^53: a JSON number would round it
    seed: 18_446_744_073_709_551_615n,
    unitPriceWei: 1_000_000_000_000n,
    maxPriceWei: 64_000_000_000_000n,
    issuedAt: 1_700_000_000n,
    deadline: 1_700_000_060n,
    drawRef: hashOf('draw'),
  },
  assignmentSignature: `0x${'ab'.repeat(65)}`,
  result: { assignment: hashOf('assignment'), outputHash: hashOf('output'), units: 3n, finishReason: 1 },
  resultSignature: `0x${'cd'.repeat(65)}`,
}

export const task = {
  id: hashOf('task'),
  state: 'done' as const,
  model: manifest.model,
  manifest: hashOf('manifest'),
  kind: 'chat' as const,
  attempt: 1,
  miner: minerNode,
  createdAt: 1_700_000_000,
  finishedAt: 1_700_000_003,
  unitPriceWei: 1_000_000_000_000n,
  maxPriceWei: 64_000_000_000_000n,
  priceWei: 3_000_000_000_000n,
  failures: [],
  text: 'one two three',
  output: { tokenIds: [5, 6, 7], finishReason: 'stop' as const },
  receipt,
}

export const mediumBytes = Buffer.from('a medium')
export const medium = { sha256: sha256(mediumBytes), bytes: mediumBytes.length, type: 'image/png' as const, width: 64, height: 64 }

const words = ['one', ' two', ' three']
const usage = { prompt_tokens: 4, completion_tokens: 3, total_tokens: 7 }

function assertModel(model: string): void {
  if (model !== manifest.model) throw errors.modelUnknown({ model, known: manifest.model })
}
function assertTask(id: Hash): void {
  if (id !== task.id) throw errors.taskUnknown({ taskId: id })
}
function assertLease({ taskId, attempt }: { taskId: Hash; attempt: number }): void {
  if (taskId !== task.id) throw errors.leaseLost({ taskId, attempt })
}

/** A coordinator of a few lines: one model, one task, real sessions. Enough that every route has something to say. */
export function createHandlers(sessions: SessionRegistry, clock: { nowMs(): number } = systemClock): Handlers {
  const created = 1_700_000_000
  return {
    listModels: async () => ({
      body: {
        object: 'list',
        data: [
          {
            id: manifest.model,
            object: 'model',
            created,
            owned_by: 'cuckoo',
            cuckoo: {
              manifest: hashOf('manifest'),
              kind: 'text',
              tasks: ['chat', 'completion'],
              dtype: 'fp32',
              chat: true,
              proof: 'none',
              audit: 'logits',
              unit: 'output token',
              unitPriceWei: '1',
              ...manifest.limits,
              maxCharacters: 0,
              maxMediaBytes: 0,
              maxPixels: 0,
              maxSeconds: 0,
              image: null,
              miners: 1,
            },
          },
        ],
      },
    }),
    createChatCompletion: async ({ body }) => {
      assertModel(body.model)
      const base = { id: `chatcmpl-${task.id}`, created, model: body.model }
      const headers = { 'x-cuckoo-task': task.id, 'x-cuckoo-miner': minerNode }
      if (!body.stream) {
        const message = { role: 'assistant' as const, content: words.join(''), refusal: null }
        const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' as const }]
        return { body: { ...base, object: 'chat.completion', choices, usage }, headers }
      }
      const toChunk = (content: string, finish: 'stop' | null) => ({
        ...base,
        object: 'chat.completion.chunk' as const,
        choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: finish }],
      })
      async function* stream() {
        for (const word of words) yield toChunk(word, null)
        yield toChunk('', 'stop')
      }
      return { events: stream(), headers }
    },
    createCompletion: async ({ body }) => {
      assertModel(body.model)
      const base = { id: `cmpl-${task.id}`, object: 'text_completion' as const, created, model: body.model }
      if (!body.stream) {
        return { body: { ...base, choices: [{ index: 0, text: words.join(''), logprobs: null, finish_reason: 'length' as const }], usage } }
      }
      async function* stream() {
        yield { ...base, choices: [{ index: 0, text: 'one', logprobs: null, finish_reason: null }] }
        throw errors.streamDiverged({ taskId: task.id })
      }
      return { events: stream() }
    },
    createEmbedding: async ({ body }) => {
      assertModel(body.model)
      const texts = [body.input].flat()
      const data = texts.map((text, index) => ({ object: 'embedding' as const, index, embedding: [text.length, 0.5] }))
      return { body: { object: 'list', model: body.model, data, usage: { prompt_tokens: texts.length, total_tokens: texts.length } } }
    },
    uploadMedia: async ({ body }) => {
      if (body.length > 100) throw errors.mediaBytesExceeded({ bytes: body.length, maximumBytes: 100 })
      return { body: { ...medium, sha256: sha256(body), bytes: body.length } }
    },
    getMedia: async ({ params }) => {
      if (params.hash !== medium.sha256) throw errors.mediaAbsent(params)
      return { body: mediumBytes, headers: { 'content-type': 'image/png' } }
    },
    createImage: async ({ body }) => {
      if (body.model != null) assertModel(body.model)
      return { body: { created, data: [{ url: `http://localhost/v1/media/${medium.sha256}` }], size: body.size ?? '64x64', output_format: 'png' } }
    },
    createTranscription: async ({ body }) => {
      assertModel(body.fields.model)
      const text = Buffer.from(body.file).toString()
      if (body.fields.response_format === 'text') return { body: text }
      const words = body.fields.timestamp_granularities?.includes('word') ? [{ word: text, start: 0, end: 1.5 }] : undefined
      return { body: words === undefined ? { text } : { task: 'transcribe', language: body.fields.language ?? 'unknown', duration: 1.5, text, words } }
    },
    createSpeech: async ({ body }) => {
      assertModel(body.model)
      return { body: Buffer.from(body.input), headers: { 'content-type': 'audio/wav' } }
    },
    createTask: async ({ body, query }) => {
      assertModel(body.model)
      return {
        body: {
          task: body.dryRun ? null : { ...task, attempt: query.waitMs },
          inputTokens: 4,
          unit: 'output token',
          maxPriceWei: 64n,
          unitPriceWei: body.seed ?? 1n,
          miners: 1,
        },
      }
    },
    getTask: async ({ params }) => {
      assertTask(params.id)
      return { body: task }
    },
    watchTask: async ({ params }) => {
      assertTask(params.id)
      async function* stream() {
        yield { type: 'text' as const, attempt: 1, text: 'one two three' }
        yield { type: 'state' as const, task }
      }
      return { events: stream() }
    },
    cancelTask: async ({ params }) => {
      assertTask(params.id)
      return { body: { ...task, state: 'cancelled' as const } }
    },
    getReceipt: async ({ params }) => {
      assertTask(params.id)
      const content = {
        kind: 'chat' as const,
        input: { tokenIds: [1, 2] },
        params: { maxTokens: 3, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-31' },
      }
      return { body: { receipt, content, output: task.output, chainId: 31337, stakingContract: otherNode } }
    },
    getManifest: async ({ params }) => {
      if (params.digest !== hashOf('manifest')) throw errors.modelUnknown({ model: params.digest, known: '' })
      return { body: manifest }
    },
    openSession: async ({ body }) => {
      if (body.node !== minerNode) throw errors.minerNotEligible({ node: body.node, reason: 'it is not registered' })
      const { agreed, accept } = acceptSession({
        request: body,
        operators: [minerSigner.address],
        coordinator: coordinatorNode,
        signer: coordinatorSigner,
        verifier,
        domainSeparator,
        clock,
      })
      sessions.open(agreed)
      return {
        body: {
          ...accept,
          heartbeatMs: 5_000,
          leaseMs: 30_000,
          pollMs: 20_000,
          wanted: [],
          prices: [{ manifest: hashOf('manifest'), unitPriceWei: 1n }],
          refused: [],
        },
      }
    },
    closeSession: async (_input, { session }) => {
      sessions.close(session.id)
      return { body: {} }
    },
    putBlob: async ({ params, body }) => {
      const found = sha256(body)
      if (found !== params.hash) throw errors.blobInvalid({ expected: params.hash, found })
      return { body: { usable: [manifest.model], refused: [] } }
    },
    pollTask: async ({ body }, { signal }) => {
      if (body.free > 8) throw errors.draining({})
      const wait = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, body.waitMs)
        signal.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      })
      await wait
      return { body: { task: null, reasons: [`waited ${body.waitMs} ms`], logHead: hashOf('log'), voucher: signedVoucher } }
    },
    renewLease: async ({ params, body }) => {
      assertLease(params)
      return { body: { leaseMs: 30_000, cancel: body.unitsDone > 100 } }
    },
    getTaskMedia: async ({ params }) => {
      assertLease(params)
      return { body: mediumBytes }
    },
    putTaskMedia: async ({ params }) => {
      assertLease(params)
      return { body: {} }
    },
    pushTokens: async ({ params }) => {
      assertLease(params)
      return { body: { cancel: false } }
    },
    submitResult: async ({ params, body }) => {
      assertLease(params)
      return { body: { accepted: true, priceWei: 3n, units: body.result.units, voucher: null } }
    },
    getVoucher: async (_input, { headers }) => {
      if (headers['x-break'] !== undefined) throw errors.draining({})
      return { body: { voucher: signedVoucher, owedWei: 2n ** 100n, reasons: ['no line: its escrow is empty'] } }
    },
    failTask: async ({ params }) => {
      assertLease(params)
      return { body: {} }
    },
    getHealth: async (_input, { headers }) => {
      if (headers['x-break'] !== undefined) throw new Error('the password of the database is hunter2')
      return { body: { status: 'ok', version: '0.0.0' } }
    },
    getReadiness: async (_input, { headers }) => {
      if (headers['x-break'] !== undefined) throw errors.notReady({ reason: 'the chain was last read 900 s ago' })
      return { body: { status: 'ready', coordinator: coordinatorNode, chainId: 31337, nodeSetAgeMs: 12, miners: 1, models: [] } }
    },
    getMetrics: async (_input, { headers }) => {
      if (headers['x-break'] !== undefined) return { body: undefined as unknown as string }
      return { body: 'cuckoo_up 1\n', headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } }
    },
  }
}

export interface Logged {
  level: 'debug' | 'warn' | 'error'
  facts: Record<string, unknown>
  message: string
}

export interface TestServer {
  url: string
  port: number
  server: Server
  sessions: SessionRegistry
  observations: Observation[]
  logged: Logged[]
  /** a client that is closed with the server */
  connect(options?: Partial<ClientOptions>): Client
  stop(): Promise<void>
}

export interface TestServerOptions {
  handlers?: Partial<Handlers>
  limits?: Partial<ServerLimits>
  clock?: { nowMs(): number }
  silenceMs?: number
}

/** A real server on a free port of loopback, with {@link createHandlers} behind it. */
export async function startServer({ handlers = {}, limits = {}, clock = systemClock, silenceMs }: TestServerOptions = {}): Promise<TestServer> {
  const sessions = createSessionRegistry({ clock, ...(silenceMs === undefined ? {} : { silenceMs }) })
  const observations: Observation[] = []
  const logged: Logged[] = []
  const write = (level: Logged['level']) => (facts: object, message: string) => {
    logged.push({ level, facts: facts as Record<string, unknown>, message })
  }
  const logger: ApiLogger = { debug: write('debug'), warn: write('warn'), error: write('error') }
  const server = createServer({
    handlers: { ...createHandlers(sessions, clock), ...handlers },
    authenticateApp: (keyHash) => (keyHash === app.keyHash ? app : null),
    sessions,
    logger,
    observe: (observation) => observations.push(observation),
    limits,
  })
  const { url, port } = await server.listen({ port: 0 })
  const clients: Client[] = []
  return {
    url,
    port,
    server,
    sessions,
    observations,
    logged,
    connect: (options = {}) => {
      const client = createClient({ url, apiKey, allowPrivate: true, timeoutMs: 5_000, ...options })
      clients.push(client)
      return client
    },
    stop: async () => {
      await Promise.all(clients.map((client) => client.close()))
      await server.close({ graceMs: 0 })
    },
  }
}

/** The body of an `openSession` call beside what is signed. */
export const minerOffer = { protocolVersion: 1, client: 'test', slots: 2, minUnitPriceWei: 0n, models: [{ manifest, device: 'cpu', unitsPerSecond: 100 }] }

/** A session of the test's miner, opened over the wire. */
export async function openTestSession({ connect }: Pick<TestServer, 'connect'>, clock: { nowMs(): number } = systemClock): Promise<ClientSession> {
  const pending = createSessionRequest({ node: minerNode, coordinator: coordinatorNode, signer: minerSigner, domainSeparator, clock })
  const accept = await connect().openSession({ body: { ...pending.request, ...minerOffer } })
  return verifySessionAccept({ pending, accept, operators: [coordinatorSigner.address], verifier, domainSeparator, clock })
}
