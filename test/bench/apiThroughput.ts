/**
 * POST requests per second of the mounted API with session authentication (MAC, replay window, schemas both ways), beside bare fastify with the same
 * bytes, in turns in one run; the median of five counts. Load comes from raw sockets with requests made beforehand, so that the server is what is measured;
 * its CPU time per request is given too, which other work on the machine disturbs less.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createSecretKey } from 'node:crypto'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { fastify } from 'fastify'
import { createServer } from '../../src/api/server.ts'
import { toSessionHeaders } from '../../src/api/session.ts'
import { createSessionRegistry } from '../../src/api/sessionRegistry.ts'
import { sha256 } from '../../src/domain/canonical.ts'

const key = createSecretKey(Buffer.alloc(32, 7))
const sessionId = sha256('bench')
const path = `/miner/v1/tasks/${sha256('task')}/1/fail`
const body = Buffer.from(JSON.stringify({ code: 'CUCKOO_BENCH', message: 'x'.repeat(240), fatal: false }))
const requestsPerRun = 20_000
const connections = 32

async function serve(kind: string): Promise<number> {
  if (kind === 'bare') {
    const app = fastify()
    app.post('/miner/v1/tasks/:taskId/:attempt/fail', async () => ({}))
    await app.listen({ host: '127.0.0.1', port: 0 })
    return (app.server.address() as { port: number }).port
  }
  const sessions = createSessionRegistry({ clock: { nowMs: () => Date.now() } })
  sessions.open({ id: sessionId, node: `0x${'a1'.repeat(20)}`, operator: `0x${'b2'.repeat(20)}`, nonce: sha256('nonce'), key })
  const silent = () => undefined
  const server = createServer({
    handlers: { failTask: async () => ({ body: {} }) } as never,
    authenticateApp: () => null,
    sessions,
    logger: { debug: silent, warn: silent, error: silent },
    observe: silent,
  })
  return (await server.listen({ port: 0 })).port
}

function createRequests(firstSequence: number): Buffer[] {
  const time = Math.floor(Date.now() / 1000)
  return Array.from({ length: requestsPerRun }, (_, index) => {
    const headers = toSessionHeaders(sessionId, key, { method: 'POST', path, time, sequence: firstSequence + index, body })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return Buffer.from(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${lines.join('')}\r\n${body}`)
  })
}

/** Requests per second over `connections` sockets, each with one request under way. */
function measure(port: number, requests: Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    let next = 0
    let done = 0
    const startedMs = performance.now()
    for (let index = 0; index < connections; index++) {
      const socket = connect(port, '127.0.0.1')
      socket.setNoDelay(true)
      const send = () => (next < requests.length ? socket.write(requests[next++] as Buffer) : socket.end())
      socket.on('connect', send)
      socket.on('error', reject)
      socket.on('data', (data) => {
        if (!data.subarray(0, 12).equals(Buffer.from('HTTP/1.1 200'))) return reject(new Error(data.toString()))
        done++
        if (done === requests.length) resolve((requests.length / (performance.now() - startedMs)) * 1000)
        send()
      })
    }
  })
}

interface Figures {
  perSecond: number
  cpuMicroseconds: number
}

function ask<T>(child: ChildProcess, question: string): Promise<T> {
  return new Promise((resolve) => {
    child.once('message', (answer) => resolve(answer as T))
    child.send(question)
  })
}

async function measureServer(kind: string): Promise<Figures> {
  const child = fork(fileURLToPath(import.meta.url), [kind])
  const port = await ask<number>(child, 'port')
  await measure(port, createRequests(1))
  const before = await ask<number>(child, 'cpu')
  const perSecond = await measure(port, createRequests(1 + requestsPerRun))
  const cpuMicroseconds = ((await ask<number>(child, 'cpu')) - before) / requestsPerRun
  child.kill()
  return { perSecond, cpuMicroseconds }
}

async function run(): Promise<void> {
  const figures = { bare: [] as Figures[], mounted: [] as Figures[] }
  for (let round = 0; round < 5; round++) for (const kind of ['bare', 'mounted'] as const) figures[kind].push(await measureServer(kind))
  const median = (kind: 'bare' | 'mounted', figure: keyof Figures) => figures[kind].map((one) => one[figure]).sort((a, b) => a - b)[2] as number
  for (const kind of ['bare', 'mounted'] as const) {
    console.log(`POST with ${body.length} B, ${kind}: ${median(kind, 'perSecond').toFixed(0)}/s, ${median(kind, 'cpuMicroseconds').toFixed(1)} us of CPU`)
  }
  const ratios = [median('mounted', 'perSecond') / median('bare', 'perSecond'), median('bare', 'cpuMicroseconds') / median('mounted', 'cpuMicroseconds')]
  console.log(`mounted against bare: ${ratios.map((ratio) => ratio.toFixed(2)).join(' by requests/s, ')} by CPU time`)
}

const kind = process.argv[2]
if (kind === undefined) await run()
else {
  const port = await serve(kind)
  process.on('message', (question) => {
    const { user, system } = process.cpuUsage()
    process.send?.(question === 'port' ? port : user + system)
  })
}
