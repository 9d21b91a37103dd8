/**
 * Dispatch (the app's request sends its first byte → the miner has read its task) at a steady rate, with few miners and with many
 * idle long polls, and the memory of the coordinator meanwhile. Beside it, in the same run, its floors: an echo of a bare fastify
 * at that rate, and two fsyncs, because a task and its assignment are on disk before the miner hears of it.
 *
 * npx node test/bench/idlePolls.ts [--miners 10000] [--rate 500] [--seconds 10]
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { toLetterIds } from '../support/coordinatorRig.ts'
import { createMiner, measureServer, openMiner, type Served, send, startServer, stopServer } from './load.ts'

const { values } = parseArgs({
  options: { miners: { type: 'string', default: '10000' }, rate: { type: 'string', default: '500' }, seconds: { type: 'string', default: '10' } },
})
const [manyMiners, rate, seconds] = [Number(values.miners), Number(values.rate), Number(values.seconds)]
const fewMiners = 50
const json = { 'content-type': 'application/json' }
/** handshakes at a time */
const parallel = 8

/** Calls `start` `rate` times a second, whatever becomes of the calls: a slow answer does not slow the load down. */
async function runAtRate(start: (number: number) => Promise<unknown>): Promise<void> {
  const running: Promise<unknown>[] = []
  const startedAt = performance.now()
  while (running.length < rate * seconds) {
    const due = Math.min(rate * seconds, Math.floor(((performance.now() - startedAt) / 1000) * rate) + 1)
    while (running.length < due) running.push(start(running.length))
    await delay(1)
  }
  await Promise.all(running)
}

function show(name: string, samplesMs: number[], more = ''): void {
  const sorted = samplesMs.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number).toFixed(2).padStart(9)
  console.log(`${name.padEnd(52)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   ${more}`)
}

async function openMiners(server: Served, pool: Pool, count: number, onTask: (number: number) => void, isDone: () => boolean): Promise<void> {
  let next = 1
  const open = async () => {
    while (next <= count) {
      const index = next++
      const miner = createMiner(pool, await openMiner(pool, index), index)
      void keepPolling(miner, onTask, isDone)
    }
  }
  await Promise.all(Array.from({ length: parallel }, open))
  await measureServer(server)
}

async function keepPolling(miner: ReturnType<typeof createMiner>, onTask: (number: number) => void, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    const task = await miner.poll(60_000).catch(() => null)
    if (task === null) continue
    onTask(Number(String.fromCharCode(...task.content.input.tokenIds.slice(1).map((id) => id - firstLetter))))
    // At the end the connections are cut, whatever is under way.
    await miner.answer(task).catch(() => undefined)
  }
}
const firstLetter = (toLetterIds('0')[0] as number) - '0'.charCodeAt(0)

async function measureDispatch(miners: number): Promise<void> {
  const server = await startServer('coordinator', String(miners))
  const pool = new Pool(server.url, { connections: miners + 500, pipelining: 1 })
  const startedMs: number[] = []
  const dispatchMs: number[] = []
  let isDone = false
  const onTask = (number: number) => dispatchMs.push(performance.now() - (startedMs[number] as number))
  await openMiners(server, pool, miners, onTask, () => isDone)
  await delay(1_000)
  const idle = await measureServer(server)
  const post = async (number: number) => {
    const body = Buffer.from(JSON.stringify({ model: 'test/letters', kind: 'completion', input: { prompt: String(number) }, params: { maxTokens: 4 } }))
    startedMs[number] = performance.now()
    await send(pool, 'POST', '/v1/tasks', body, { ...json, authorization: `Bearer ${server.apiKey}` })
  }
  await runAtRate(post)
  for (let waits = 0; dispatchMs.length < rate * seconds && waits < 500; waits++) await delay(20)
  isDone = true
  const loaded = await measureServer(server)
  const memory = `RSS ${idle.rssMib.toFixed(0)} MiB idle, ${loaded.rssMib.toFixed(0)} MiB after`
  show(`dispatch at ${rate} tasks/s, ${miners} miners wait`, dispatchMs, `${memory}; ${dispatchMs.length} of ${rate * seconds} tasks`)
  await pool.destroy()
  await stopServer(server)
}

async function measureEcho(): Promise<void> {
  const server = await startServer('fastify')
  const pool = new Pool(server.url, { connections: 500, pipelining: 1 })
  const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(280) }))
  const samplesMs: number[] = []
  await runAtRate(async () => {
    const startedAt = performance.now()
    await send(pool, 'POST', '/', body, json)
    samplesMs.push(performance.now() - startedAt)
  })
  show(`floor: echo of a bare fastify at ${rate}/s`, samplesMs, `RSS ${(await measureServer(server)).rssMib.toFixed(0)} MiB`)
  await pool.close()
  await stopServer(server)
}

function measureFsyncs(): void {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-bench-'))
  const file = openSync(join(directory, 'log'), 'a')
  const page = Buffer.alloc(4096)
  const samplesMs = Array.from({ length: 300 }, () => {
    const startedAt = performance.now()
    for (let times = 0; times < 2; times++) {
      writeSync(file, page)
      fsyncSync(file)
    }
    return performance.now() - startedAt
  })
  closeSync(file)
  rmSync(directory, { recursive: true, force: true })
  show('floor: two pages written and synced, one by one', samplesMs)
}

measureFsyncs()
await measureEcho()
await measureDispatch(fewMiners)
await measureDispatch(manyMiners)
