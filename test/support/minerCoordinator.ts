import { setTimeout as delay } from 'node:timers/promises'
import type { Handlers, MinerHandlers } from '../../src/api/handler.ts'
import type { RouteInput } from '../../src/api/route.ts'
import type { Routes } from '../../src/api/routes/routes.ts'
import { createServer, type Server } from '../../src/api/server.ts'
import { acceptSession } from '../../src/api/sessionHandshake.ts'
import { createSessionRegistry, type SessionRegistry } from '../../src/api/sessionRegistry.ts'
import { createLocalSigner, createSignatureVerifier } from '../../src/chain/signer.ts'
import { toDigest } from '../../src/domain/eip712.ts'
import type { Address, Hash, Hex } from '../../src/domain/hex.ts'
import type { Manifest } from '../../src/domain/manifest.ts'
import { toManifestDigest } from '../../src/domain/manifest.ts'
import type { SignedVoucher } from '../../src/domain/payments.ts'
import type { Clock, Signer } from '../../src/domain/ports.ts'
import { toAssignmentDigest } from '../../src/domain/receipt.ts'
import { type Assignment, type Voucher, voucher as voucherStructure } from '../../src/domain/signedStructures.ts'
import { type TaskContent, toInputHash, toMaxUnits, toParamsHash } from '../../src/domain/task.ts'
import { mediaAbsent, taskUnknown } from '../../src/errors/api.ts'
import { createManifest, testDomainSeparator, toTestHash } from './minerFakes.ts'

type PolledTask = { assignment: Assignment; signature: Hex; model: string; content: TaskContent; stream: boolean; leaseMs: number }
type Calls = { -readonly [K in keyof MinerHandlers]: (RouteInput<Routes[K]> & { atMs: number })[] }

export interface TestCoordinatorOptions {
  node: Address
  signer: Signer
  /** node and operator of each miner it knows */
  miners: ReadonlyMap<Address, Address>
  clock?: Clock
  leaseMs?: number
  heartbeatMs?: number
  pollMs?: number
  silenceMs?: number
  wanted?: Hash[]
  /** what {@link Routes.putBlob} says of the models it was handed files for */
  refusedFiles?: { model: string; code: string; message: string }[]
  /** what a unit pays; the tasks of {@link createTestTask} pay 1000 */
  unitPriceWei?: bigint
  /** signs with this key instead, as an impostor would */
  acceptSigner?: Signer
}

/** A coordinator's miner side on a real server: tasks are what the test queues, and every call is kept. */
export interface TestCoordinator {
  readonly url: string
  readonly node: Address
  readonly calls: Calls
  readonly sessions: SessionRegistry
  /** sees each call before it is answered: throw for an error, wait for a slow answer */
  before: { [K in keyof Calls]?: (input: RouteInput<Routes[K]>) => void | Promise<void> }
  cancelled: Set<Hash>
  /** input media that miners are given, and output media that they handed in */
  readonly media: Map<Hash, Uint8Array>
  /** answers carry a voucher over all accepted results, unless the test says otherwise */
  pays: 'all' | 'nothing'
  /** what it owes each miner by its own books */
  readonly owed: Map<Address, bigint>
  /** stands in for the voucher that answers would carry */
  forgeVoucher: ((signed: SignedVoucher) => SignedVoucher) | null
  queue(task: PolledTask): PolledTask
  /** waits until `route` was called `times` times */
  waitForCalls(route: keyof Calls, times: number): Promise<void>
  /** cuts all connections and forgets all sessions, as a killed process would */
  kill(): Promise<void>
  /** comes back on the same port */
  restart(): Promise<void>
}

/** A task for `miner`, signed; `change` alters the assignment before it is signed, `forge` after. */
export function createTestTask(
  coordinator: { node: Address; signer: Signer },
  miner: Address,
  name: string,
  more: Partial<Omit<PolledTask, 'content'>> & {
    content?: TaskContent
    manifest?: Manifest
    change?: Partial<Assignment>
    forge?: Partial<Assignment>
    maxTokens?: number
    nowMs?: number
  } = {},
): PolledTask {
  const { manifest = createManifest('test/counter'), change, forge, maxTokens = 5, nowMs = Date.now(), ...rest } = more
  const content: TaskContent = more.content ?? {
    kind: 'completion',
    input: { tokenIds: [1, 5, 6] },
    params: { maxTokens, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' },
  }
  const issuedAt = BigInt(Math.floor(nowMs / 1000))
  const assignment: Assignment = {
    taskId: toTestHash(name),
    attempt: 1,
    coordinator: coordinator.node,
    miner,
    manifest: toManifestDigest(manifest),
    inputHash: toInputHash(content.input),
    paramsHash: toParamsHash(content.params),
    seed: 100n,
    unitPriceWei: 1000n,
    maxPriceWei: 1000n * toMaxUnits(content),
    issuedAt,
    deadline: issuedAt + 600n,
    drawRef: toTestHash('draw'),
    ...change,
  }
  const signature = coordinator.signer.sign(toAssignmentDigest(testDomainSeparator, assignment))
  return { model: manifest.model, stream: false, leaseMs: 5_000, ...rest, content, assignment: { ...assignment, ...forge }, signature }
}

export async function startTestCoordinator(options: TestCoordinatorOptions): Promise<TestCoordinator> {
  const clock = options.clock ?? { nowMs: () => Date.now() }
  const verifier = createSignatureVerifier()
  const tasks: PolledTask[] = []
  const calls: Calls = {
    openSession: [],
    closeSession: [],
    putBlob: [],
    pollTask: [],
    renewLease: [],
    getTaskMedia: [],
    putTaskMedia: [],
    pushTokens: [],
    submitResult: [],
    failTask: [],
    getVoucher: [],
  }
  const before: TestCoordinator['before'] = {}
  const cancelled = new Set<Hash>()
  const media = new Map<Hash, Uint8Array>()
  const { leaseMs = 5_000, heartbeatMs = 1_000, pollMs = 500, wanted = [], silenceMs, unitPriceWei = 1000n } = options
  const owed = new Map<Address, bigint>()
  const accepted = new Set<string>()
  let registry = createRegistry()
  let server: Server
  let address: { url: string; port: number } = { url: '', port: 0 }

  function createRegistry(): SessionRegistry {
    return createSessionRegistry({ clock, ...(silenceMs === undefined ? {} : { silenceMs }) })
  }
  async function record<K extends keyof Calls>(route: K, input: RouteInput<Routes[K]>): Promise<void> {
    ;(calls[route] as unknown[]).push({ ...input, atMs: performance.now() })
    await before[route]?.(input as never)
  }
  const findVoucher = (miner: Address): SignedVoucher | null => {
    const cumulativeWei = owed.get(miner) ?? 0n
    if (coordinator.pays === 'nothing' || cumulativeWei === 0n) return null
    const signed = signTestVoucher(options, miner, cumulativeWei)
    return coordinator.forgeVoucher?.(signed) ?? signed
  }
  const miners: MinerHandlers = {
    async openSession(input) {
      await record('openSession', input)
      const operators = [options.miners.get(input.body.node) as Address]
      const signer = options.acceptSigner ?? options.signer
      const { agreed, accept } = acceptSession({
        request: input.body,
        operators,
        coordinator: options.node,
        signer,
        verifier,
        domainSeparator: testDomainSeparator,
        clock,
      })
      registry.open(agreed)
      const prices = input.body.models.map(({ manifest }) => ({ manifest: toManifestDigest(manifest), unitPriceWei }))
      return { body: { ...accept, heartbeatMs, leaseMs, pollMs, wanted, prices, refused: [] } }
    },
    async closeSession(input, { session }) {
      await record('closeSession', input)
      registry.close(session.id)
      return { body: {} }
    },
    async putBlob(input) {
      await record('putBlob', input)
      return { body: { usable: [], refused: options.refusedFiles ?? [] } }
    },
    async pollTask(input, { signal, session }) {
      await record('pollTask', input)
      const untilMs = performance.now() + input.body.waitMs
      while (tasks.length === 0 && performance.now() < untilMs && !signal.aborted) await delay(2)
      const task = signal.aborted ? undefined : tasks.shift()
      const reasons = task === undefined ? ['no task for your models'] : []
      return { body: { task: task ?? null, reasons, logHead: toTestHash('head'), voucher: findVoucher(session.node) } }
    },
    async renewLease(input) {
      await record('renewLease', input)
      return { body: { leaseMs, cancel: cancelled.has(input.params.taskId) } }
    },
    async getTaskMedia(input) {
      await record('getTaskMedia', input)
      const body = media.get(input.params.hash)
      if (body === undefined) throw mediaAbsent({ hash: input.params.hash })
      return { body }
    },
    async putTaskMedia(input) {
      await record('putTaskMedia', input)
      media.set(input.params.hash, input.body)
      return { body: {} }
    },
    async pushTokens(input) {
      await record('pushTokens', input)
      return { body: { cancel: cancelled.has(input.params.taskId) } }
    },
    async submitResult(input, { session }) {
      await record('submitResult', input)
      const { units, assignment } = input.body.result
      const priceWei = units * unitPriceWei
      if (!accepted.has(assignment)) owed.set(session.node, (owed.get(session.node) ?? 0n) + priceWei)
      accepted.add(assignment)
      return { body: { accepted: true, priceWei, units, voucher: findVoucher(session.node) } }
    },
    async getVoucher(input, { session }) {
      await record('getVoucher', input)
      return {
        body: {
          voucher: findVoucher(session.node),
          owedWei: owed.get(session.node) ?? 0n,
          reasons: coordinator.pays === 'all' ? [] : ['no line: the test says so'],
        },
      }
    },
    async failTask(input) {
      await record('failTask', input)
      return { body: {} }
    },
  }
  const absent = async () => {
    throw taskUnknown({ taskId: 'any' })
  }
  const readiness = { status: 'ready' as const, coordinator: options.node, chainId: 31337, nodeSetAgeMs: 0, miners: 0, models: [] }
  const known: Partial<Handlers> = { ...miners, getReadiness: async () => ({ body: readiness }) }
  const handlers = new Proxy(known, { get: (target, id) => target[id as keyof Handlers] ?? absent, has: () => true }) as Handlers

  async function listen(port: number): Promise<void> {
    // Sessions are asked for through a fresh registry after each start, as in a new process.
    server = createServer({ handlers, authenticateApp: () => null, sessions: registry, logger: { debug() {}, warn() {}, error() {} } })
    address = await server.listen({ port })
  }
  const coordinator: TestCoordinator = {
    pays: 'all',
    owed,
    forgeVoucher: null,
    get url() {
      return address.url
    },
    node: options.node,
    calls,
    get sessions() {
      return registry
    },
    before,
    cancelled,
    media,
    queue(task) {
      tasks.push(task)
      return task
    },
    async waitForCalls(route, times) {
      await waitFor(() => calls[route].length >= times, `${times} calls of ${route}`)
    },
    async kill() {
      await server.close({ graceMs: 0 })
      registry = createRegistry()
    },
    restart: () => listen(address.port),
  }
  await listen(0)
  return coordinator
}

/** A voucher over `cumulativeWei`, signed by `coordinator`'s key. */
export function signTestVoucher(
  coordinator: { node: Address; signer: Signer },
  miner: Address,
  cumulativeWei: bigint,
  more: Partial<Voucher> = {},
): SignedVoucher {
  const voucher: Voucher = { coordinator: coordinator.node, miner, cumulativeWei, issuedAt: BigInt(Math.floor(Date.now() / 1000)), ...more }
  return { voucher, signature: coordinator.signer.sign(toDigest(testDomainSeparator, voucherStructure, voucher)) }
}

/** Waits until `isTrue`, at most `timeoutMs`. */
export async function waitFor(isTrue: () => boolean, what: string, timeoutMs = 5_000): Promise<void> {
  const untilMs = performance.now() + timeoutMs
  while (!isTrue()) {
    if (performance.now() > untilMs) throw new Error(`waited ${timeoutMs / 1_000} s for ${what}`)
    await delay(2)
  }
}

/** A key that is always the same for one number. */
export function createTestSigner(number: number): Signer {
  return createLocalSigner(`0x${number.toString(16).padStart(64, '0')}`)
}
