/**
 * Durable tasks per second of a coordinator with simulated miners over real HTTP: submit → assignment signed and journalled →
 * result verified and committed, `synchronous=FULL`, instant inference. Beside it, in the same run, its floors: the store alone, a
 * bare fastify, and the two signatures. The load comes from this process, the coordinator is another one. CPU times are what to
 * compare: they hold still where other processes share the cores.
 *
 * npx node test/bench/coordinator.ts [--miners 200] [--tasks 8000] [--runs 5]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import type { ClientSession } from '../../src/api/sessionHandshake.ts'
import { openCoordinatorStore } from '../../src/store/coordinatorStore.ts'
import { coordinatorSigner, toMinerNode, verifier } from '../support/coordinatorRig.ts'
import { createNewTask, toDraw, toNumberedHash, toTestReceipt } from '../support/storeFixtures.ts'
import { createMiner, measureServer, openMiner, send, startServer, stopServer } from './load.ts'

const { values } = parseArgs({
  options: { miners: { type: 'string', default: '200' }, tasks: { type: 'string', default: '8000' }, runs: { type: 'string', default: '5' } },
})
const [minerCount, taskCount, runs] = [Number(values.miners), Number(values.tasks), Number(values.runs)]
const inFlight = 256

/** Polls, answers at once with four tokens, and polls again, until `isDone`. */
async function mine(pool: Pool, session: ClientSession, index: number, onDone: () => void, isDone: () => boolean): Promise<void> {
  const miner = createMiner(pool, session, index)
  while (!isDone()) {
    const task = await miner.poll(1_000)
    if (task === null) continue
    await miner.answer(task)
    onDone()
  }
}

/** What this process has used so far, in ms. */
function getCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

interface CoordinatorFigures {
  perSecond: number
  cpuMsPerTask: number
  rssMib: number
  loadCpuMsPerTask: number
}

async function measureCoordinator(): Promise<CoordinatorFigures> {
  const server = await startServer('coordinator', String(minerCount))
  const pool = new Pool(server.url, { connections: minerCount + inFlight, pipelining: 1 })
  const sessions: ClientSession[] = []
  for (let index = 1; index <= minerCount; index++) sessions.push(await openMiner(pool, index))
  let created = 0
  let done = 0
  let ended = 0
  const warmUp = Math.floor(taskCount / 5)
  let startedAt = 0
  let loadCpuMs = 0
  const onDone = () => {
    done++
    if (done === warmUp) {
      startedAt = performance.now()
      loadCpuMs = getCpuMs()
      void measureServer(server)
    }
    if (done === taskCount) ended = performance.now()
  }
  const isDone = () => done >= taskCount
  const request = Buffer.from(JSON.stringify({ model: 'test/letters', kind: 'completion', input: { prompt: 'Once upon a time' }, params: { maxTokens: 4 } }))
  const submit = async () => {
    while (created < taskCount) {
      created++
      await send(pool, 'POST', '/v1/tasks', request, { 'content-type': 'application/json', authorization: `Bearer ${server.apiKey}` })
      // A queue of a few hundred keeps every miner busy; more would only measure the queue.
      while (created - done > 2 * inFlight && !isDone()) await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  await Promise.all([...Array.from({ length: inFlight / 8 }, submit), ...sessions.map((session, index) => mine(pool, session, index + 1, onDone, isDone))])
  loadCpuMs = getCpuMs() - loadCpuMs
  const { cpuMs, rssMib } = await measureServer(server)
  await pool.close()
  await stopServer(server)
  const measured = taskCount - warmUp
  return { perSecond: (measured / (ended - startedAt)) * 1000, cpuMsPerTask: cpuMs / measured, rssMib, loadCpuMsPerTask: loadCpuMs / measured }
}

async function measureFastify(): Promise<{ perSecond: number; cpuMs: number }> {
  const server = await startServer('fastify')
  const pool = new Pool(server.url, { connections: inFlight, pipelining: 1 })
  const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(280) }))
  const requests = taskCount * 2
  let sent = 0
  const startedAt = performance.now()
  const run = async () => {
    while (sent++ < requests) await send(pool, 'POST', '/', body, { 'content-type': 'application/json' })
  }
  await Promise.all(Array.from({ length: inFlight }, run))
  const perSecond = (requests / (performance.now() - startedAt)) * 1000
  const { cpuMs } = await measureServer(server)
  await pool.close()
  await stopServer(server)
  return { perSecond, cpuMs: cpuMs / requests }
}

/** The three writes of a task's life, `inFlight` tasks at a time: what group commit alone allows. */
async function measureStore(): Promise<{ perSecond: number; cpuMs: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-bench-'))
  const store = await openCoordinatorStore({ directory })
  const miner = toMinerNode(1)
  const output = Buffer.from('{"finishReason":"length","tokenIds":[110,111,112,113]}')
  const outputHash = toNumberedHash(1)
  let next = 1
  let draws = 0n
  const cpuMs = getCpuMs()
  const startedAt = performance.now()
  const run = async () => {
    while (next <= taskCount) {
      const number = next++
      const id = toNumberedHash(number)
      await store.createTask(createNewTask(number))
      await store.assignTask({ id, attempt: 1, miner, leaseUntilMs: 1, assignmentDigest: id, signedAssignment: Buffer.alloc(900), draw: toDraw(draws++, id) })
      await store.completeTask({ id, attempt: 1, outputHash, output, receipt: toTestReceipt(id), finishedAtMs: 1 })
    }
  }
  await Promise.all(Array.from({ length: inFlight }, run))
  const measured = { perSecond: (taskCount / (performance.now() - startedAt)) * 1000, cpuMs: (getCpuMs() - cpuMs) / taskCount }
  await store.close()
  rmSync(directory, { recursive: true, force: true })
  return measured
}

/** CPU of one signature made and one verified, in ms. */
function measureSignatures(): number {
  const digest = toNumberedHash(1)
  const times = 2_000
  const cpuMs = getCpuMs()
  for (let index = 0; index < times; index++) verifier.recover(digest, coordinatorSigner.sign(digest))
  return (getCpuMs() - cpuMs) / times
}

function toMedian(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number
}

interface Row {
  coordinator: CoordinatorFigures
  store: Awaited<ReturnType<typeof measureStore>>
  fastify: Awaited<ReturnType<typeof measureFastify>>
  signaturesMs: number
}
const toFloorMs = ({ store, fastify, signaturesMs }: Row) => store.cpuMs + 3 * fastify.cpuMs + signaturesMs

const rows: Row[] = []
for (let run = 0; run < runs; run++)
  rows.push({ store: await measureStore(), fastify: await measureFastify(), signaturesMs: measureSignatures(), coordinator: await measureCoordinator() })
const show = (name: string, pick: (row: Row) => number, digits = 0) =>
  console.log(`${name.padEnd(58)} ${toMedian(rows.map(pick)).toFixed(digits).padStart(8)}   ${rows.map((row) => pick(row).toFixed(digits)).join(' ')}`)
console.log(`${minerCount} miners, ${taskCount} tasks, ${runs} runs; median, then each run`)
show('durable tasks/s through the coordinator', (row) => row.coordinator.perSecond)
show('  its CPU per task, ms', (row) => row.coordinator.cpuMsPerTask, 3)
show('  its RSS, MiB', (row) => row.coordinator.rssMib)
show('  CPU of the load generator per task, ms', (row) => row.coordinator.loadCpuMsPerTask, 3)
show('floor: task lives/s in the store alone (three writes each)', (row) => row.store.perSecond)
show('floor: POST/s of a bare fastify (a task takes three)', (row) => row.fastify.perSecond)
show('floor: CPU of one life in the store, ms', (row) => row.store.cpuMs, 3)
show('floor: CPU of three POSTs to a bare fastify, ms', (row) => 3 * row.fastify.cpuMs, 3)
show('floor: CPU of one signature made and one verified, ms', (row) => row.signaturesMs, 3)
show('coordinator’s CPU over the sum of its floors', (row) => row.coordinator.cpuMsPerTask / toFloorMs(row), 2)
