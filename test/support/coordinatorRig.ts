import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode as encodePng } from 'fast-png'
import { expect, vi } from 'vitest'
import { type Client, createClient } from '../../src/api/client.ts'
import type { RouteInput, RouteOutput } from '../../src/api/route.ts'
import type { Routes } from '../../src/api/routes/routes.ts'
import { createSessionRequest, verifySessionAccept } from '../../src/api/sessionHandshake.ts'
import { protocolVersion } from '../../src/api/wire.ts'
import { createLocalSigner, createSignatureVerifier } from '../../src/chain/signer.ts'
import { type CoordinatorConfig, defaultCoordinatorConfig } from '../../src/coordinator/coordinatorPorts.ts'
import { createApp } from '../../src/coordinator/createApp.ts'
import { type ServingCoordinator, serveCoordinator } from '../../src/coordinator/serveCoordinator.ts'
import { sha256 } from '../../src/domain/canonical.ts'
import type { OpenTokenizer, Tokenizers } from '../../src/domain/enginePort.ts'
import type { Address, Hash, Hex } from '../../src/domain/hex.ts'
import type { ImageTraits, Manifest } from '../../src/domain/manifest.ts'
import type { AudioMedia, ImageMedia } from '../../src/domain/media.ts'
import type { NodeRecord } from '../../src/domain/node.ts'
import type { SignedVoucher } from '../../src/domain/payments.ts'
import type { Clock, Signer } from '../../src/domain/ports.ts'
import { toAssignmentDigest, toResultDigest } from '../../src/domain/receipt.ts'
import type { Result } from '../../src/domain/signedStructures.ts'
import type { CoordinatorStore } from '../../src/domain/storePorts.ts'
import { finishReasons, type TaskOutput, toOutputHash, toUnits } from '../../src/domain/task.ts'
import type { ModelKind } from '../../src/domain/taskKinds.ts'
import { manifestInvalid } from '../../src/errors/api.ts'
import { createMediaReader } from '../../src/inference/media/createMediaReader.ts'
import { openCoordinatorStore } from '../../src/store/coordinatorStore.ts'
import { createLogger, type LogLevel } from '../../src/telemetry/logger.ts'
import { createCoordinatorMetrics } from '../../src/telemetry/metrics.ts'
import { createFakeChain, type FakeChain } from './fakeChain.ts'
import { createNodeRecord } from './minerFakes.ts'

export type PolledTask = NonNullable<RouteOutput<Routes['pollTask']>['task']>
export type SubmitBody = RouteInput<Routes['submitResult']>['body']

export const coordinatorNode: Address = `0x${'cc'.repeat(20)}`
export const verifier = createSignatureVerifier()

/** A signer with a key of its own for each number. */
export function createNumberedSigner(number: number): Signer {
  return createLocalSigner(`0x${number.toString(16).padStart(64, '0')}` as Hex)
}
export const coordinatorSigner = createNumberedSigner(0xc0)

/** Node address of miner `index`, from 1. */
export function toMinerNode(index: number): Address {
  return `0x${index.toString(16).padStart(40, '0')}`
}
export function toMinerSigner(index: number): Signer {
  return createNumberedSigner(0x1000 + index)
}

const tokenizerJson = Buffer.from('{"letters":true}')
const firstLetter = 10

/** One token per UTF-16 unit: `a` is 97 + 10. Ids below 10 are special: 1 begins, 2 ends. */
export function toLetterIds(text: string): number[] {
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index) + firstLetter)
}
function toLetters(tokenIds: readonly number[]): string {
  return String.fromCharCode(...tokenIds.filter((id) => id >= firstLetter).map((id) => id - firstLetter))
}

const tokenizerInvalid = () => manifestInvalid({ model: 'of the test', problem: 'its tokenizer.json is not one of letters' })

/** `onEncode` sees each text that is tokenised. */
export function createLetterTokenizers(onEncode: (text: string) => void = () => undefined): Tokenizers & { opened: number } {
  const tokenizers = {
    opened: 0,
    async openTokenizer(files: ReadonlyMap<string, Uint8Array> = new Map()): Promise<OpenTokenizer> {
      if (!tokenizerJson.equals(files.get('tokenizer.json') ?? tokenizerJson)) throw tokenizerInvalid()
      tokenizers.opened++
      return {
        hasChatTemplate: true,
        async encodeChat(messages, date) {
          const text = `${messages.map((message) => `${message.role}:${message.content}`).join('\n')}\n${date}`
          onEncode(text)
          return [1, ...toLetterIds(text)]
        },
        async encodeText(text) {
          onEncode(text)
          return [1, ...toLetterIds(text)]
        },
        decode: async (tokenIds) => toLetters(tokenIds),
        createDecoder: () => ({ push: async (tokenIds) => toLetters(tokenIds), flush: async () => '' }),
        dispose: async () => undefined,
      }
    },
    dispose: async () => undefined,
  }
  return tokenizers
}

export function createLetterManifest(model = 'test/letters', more: Partial<Manifest> = {}): Manifest {
  return {
    version: 1,
    model,
    revision: null,
    kind: 'text',
    dtype: 'fp32',
    files: [
      { path: 'tokenizer.json', bytes: tokenizerJson.length, sha256: sha256(tokenizerJson) },
      { path: 'onnx/model.onnx', bytes: 1, sha256: sha256(model) },
    ],
    limits: { contextTokens: 256, maxOutputTokens: 128, maxBatch: 4 },
    chatTemplate: true,
    eosTokenIds: [2],
    pooling: null,
    proof: 'none',
    ...more,
  }
}

/** A manifest of a model that is given what the app wrote: no tokenizer files. */
export function createKindManifest(kind: Exclude<ModelKind, 'text' | 'embedding'>, more: Partial<Manifest> = {}): Manifest {
  const files = [{ path: 'onnx/model.onnx', bytes: 1, sha256: sha256(kind) }]
  const image: ImageTraits = {
    sizeStep: 8,
    maxPixels: 128 * 128,
    maxSteps: 50,
    width: 64,
    height: 64,
    steps: 20,
    guidance: 2,
    scheduler: 'euler',
    schedulers: ['euler', 'ddim'],
  }
  return createLetterManifest(`test/${kind}`, { kind, files, chatTemplate: false, eosTokenIds: [], ...(kind === 'image' && { image }), ...more })
}

/** Default prices with some replaced. */
export function toPrices(kinds: Partial<Record<ModelKind, bigint>>): CoordinatorConfig['unitPriceWei'] {
  return { kinds: { ...defaultCoordinatorConfig.unitPriceWei.kinds, ...kinds }, models: {} }
}

/** A grey PNG: one of its own for each shade. */
export function createPng(width: number, height: number, shade = 0): Uint8Array {
  return encodePng({ width, height, channels: 1, depth: 8, data: new Uint8Array(width * height).fill(shade) })
}

/** Silence as 16-bit mono WAV of 8 kHz. */
export function createWav(durationMs: number): Uint8Array {
  const bytes = 16 * durationMs
  const wav = Buffer.alloc(44 + bytes)
  wav.write('RIFF')
  wav.writeUInt32LE(36 + bytes, 4)
  wav.write('WAVEfmt ', 8)
  for (const [offset, value] of [
    [16, 16],
    [24, 8_000],
    [28, 16_000],
    [40, bytes],
  ] as const)
    wav.writeUInt32LE(value, offset)
  for (const [offset, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const)
    wav.writeUInt16LE(value, offset)
  wav.write('data', 36)
  return wav
}

export function toImageMedia(data: Uint8Array, width: number, height: number): ImageMedia {
  return { sha256: sha256(data), bytes: data.length, type: 'image/png', width, height }
}
export function toAudioMedia(data: Uint8Array, durationMs: number): AudioMedia {
  return { sha256: sha256(data), bytes: data.length, type: 'audio/wav', durationMs }
}

/** A clock that a test moves. */
export interface TestClock extends Clock {
  advance(ms: number): void
}
function createTestClock(): TestClock {
  let offsetMs = 0
  return { nowMs: () => Date.now() + offsetMs, advance: (ms) => (offsetMs += ms) }
}

/** Everything fast: no test waits for a real pause. */
const testConfig: Partial<CoordinatorConfig> = {
  leaseMs: 3_000,
  heartbeatMs: 500,
  pollMs: 2_000,
  requestTimeoutMs: 10_000,
  graceMs: 2_000,
  nodeSet: { pollMs: 50, confirmations: 0, maxAgeMs: 60_000 },
}

export interface RigOptions {
  /** bond of each miner in CAI; a miner each, numbered from 1 */
  miners?: number[]
  config?: Partial<CoordinatorConfig>
  logLevel?: LogLevel
  /** sees each text that is tokenised */
  onEncode?: (text: string) => void
  /** real ones, in the place of a letter per token */
  tokenizers?: Tokenizers
  /** of the store; it stays there at the end. Default: a new one that is removed */
  directory?: string
  /** what the coordinator gets in the place of its store */
  wrapStore?: (store: CoordinatorStore) => CoordinatorStore
}

/** A coordinator on a real store, server and signatures; chain and tokenizers are fakes. */
export interface CoordinatorRig {
  serving: ServingCoordinator
  store: CoordinatorStore
  chain: FakeChain
  clock: TestClock
  metrics: ReturnType<typeof createCoordinatorMetrics>
  directory: string
  app: Client
  apiKey: string
  records: NodeRecord[]
  createAppClient(name: string): Promise<Client>
  openMiner(index: number, options?: MinerOptions): Promise<SimulatedMiner>
  /** closes, as a kill would leave it but for open sockets, and starts again on the same directory */
  restart(config?: Partial<CoordinatorConfig>): Promise<void>
}

const cleanUps: (() => Promise<unknown>)[] = []

/** Ends what {@link createCoordinatorRig} started, newest first: call it after each test. */
export async function endCoordinatorRigs(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
}

/** Until as many miners wait with a poll, as the coordinator counts them. */
export async function waitForPolls(rig: CoordinatorRig, miners: number): Promise<void> {
  await vi.waitFor(async () => expect(await rig.app.getMetrics({})).toContain(`cuckoo_miners_waiting ${miners}\n`), { timeout: 5_000 })
}

function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-coordinator-'))
  cleanUps.push(async () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export async function createCoordinatorRig(options: RigOptions = {}): Promise<CoordinatorRig> {
  const directory = options.directory ?? createDirectory()
  const bonds = options.miners ?? [21_000]
  const records = [
    createNodeRecord(coordinatorNode, 'coordinator', coordinatorSigner.address),
    ...bonds.map((weightCai, index) => createNodeRecord(toMinerNode(index + 1), 'miner', toMinerSigner(index + 1).address, { weightCai })),
  ]
  const chain = createFakeChain(records)
  const clock = createTestClock()
  const rig = { chain, clock, directory, records } as unknown as CoordinatorRig
  const start = async (config: Partial<CoordinatorConfig> = {}) => {
    const store = await openCoordinatorStore({ directory })
    rig.store = options.wrapStore?.(store) ?? store
    rig.metrics = createCoordinatorMetrics()
    rig.serving = await serveCoordinator({
      node: coordinatorNode,
      signer: coordinatorSigner,
      verifier,
      chain,
      store: rig.store,
      tokenizers: options.tokenizers ?? createLetterTokenizers(options.onEncode),
      media: createMediaReader(),
      clock,
      logger: createLogger({ level: options.logLevel ?? 'silent', name: 'coordinator' }),
      metrics: rig.metrics,
      version: '0.0.0',
      config: { ...defaultCoordinatorConfig, ...testConfig, ...options.config, ...config },
    })
  }
  const openClient = (apiKey: string) => {
    const client = createClient({ url: rig.serving.url, apiKey, allowPrivate: true, timeoutMs: 20_000 })
    cleanUps.push(() => client.close())
    return client
  }
  rig.createAppClient = async (name) => openClient((await createApp(rig.store, { name, clock })).key)
  rig.openMiner = (index, minerOptions) => openSimulatedMiner(rig, index, minerOptions)
  rig.restart = async (config) => {
    await rig.serving.close()
    await start(config)
    rig.app = openClient(rig.apiKey)
  }
  await start()
  cleanUps.push(() => rig.serving.close())
  rig.apiKey = (await createApp(rig.store, { name: 'test', clock })).key
  rig.app = openClient(rig.apiKey)
  return rig
}

export interface MinerOptions {
  slots?: number
  minUnitPriceWei?: bigint
  /** the newest voucher that it holds */
  voucher?: SignedVoucher
  models?: { manifest: Manifest; unitsPerSecond?: number }[]
  /** leaves the tokenizer files it is asked for where they are */
  withholdFiles?: boolean
}

/** A miner without a model: it says what the test says, signed with its own key. */
export interface SimulatedMiner {
  readonly node: Address
  readonly signer: Signer
  readonly client: Client
  readonly opened: RouteOutput<Routes['openSession']>
  poll(waitMs?: number): Promise<RouteOutput<Routes['pollTask']>>
  /** the next task; fails when none comes */
  take(waitMs?: number): Promise<PolledTask>
  heartbeat(task: PolledTask, unitsDone?: number): Promise<{ leaseMs: number; cancel: boolean }>
  /** bytes of an input medium */
  fetchMedia(task: PolledTask, hash: Hash): Promise<Uint8Array>
  /** hands in an output medium */
  putMedia(task: PolledTask, data: Uint8Array, hash?: Hash): Promise<unknown>
  /** takes the next task and answers it with `output`, whose media it hands in first */
  answerWith(output: TaskOutput, media?: Uint8Array[]): Promise<PolledTask>
  push(task: PolledTask, offset: number, tokenIds: number[]): Promise<{ cancel: boolean }>
  submit(task: PolledTask, body: SubmitBody): Promise<RouteOutput<Routes['submitResult']>>
  /** takes the next task and answers it with `text` */
  answer(text?: string): Promise<PolledTask>
  fail(task: PolledTask, code?: string, fatal?: boolean): Promise<unknown>
  leave(): Promise<unknown>
}

async function openSimulatedMiner(
  rig: Pick<CoordinatorRig, 'serving' | 'chain' | 'clock'>,
  index: number,
  options: MinerOptions = {},
): Promise<SimulatedMiner> {
  const node = toMinerNode(index)
  const signer = toMinerSigner(index)
  const { domainSeparator } = rig.chain
  const anonymous = createClient({ url: rig.serving.url, allowPrivate: true })
  cleanUps.push(() => anonymous.close())
  const pending = createSessionRequest({ node, coordinator: coordinatorNode, signer, domainSeparator, clock: rig.clock })
  const models = (options.models ?? [{ manifest: createLetterManifest() }]).map(({ manifest, unitsPerSecond = 0 }) => ({
    manifest,
    device: 'cpu',
    unitsPerSecond,
  }))
  const opened = await anonymous.openSession({
    body: {
      protocolVersion,
      client: 'simulated',
      slots: options.slots ?? 1,
      minUnitPriceWei: options.minUnitPriceWei ?? 0n,
      models,
      ...pending.request,
      ...(options.voucher !== undefined && { voucher: options.voucher }),
    },
  })
  const session = verifySessionAccept({ pending, accept: opened, operators: [coordinatorSigner.address], verifier, domainSeparator, clock: rig.clock })
  const client = createClient({ url: rig.serving.url, session, allowPrivate: true })
  cleanUps.push(() => client.close())
  if (options.withholdFiles !== true) for (const hash of opened.wanted) await client.putBlob({ params: { hash }, body: tokenizerJson })
  const toParams = ({ assignment }: PolledTask) => ({ taskId: assignment.taskId, attempt: assignment.attempt })
  const miner: SimulatedMiner = {
    node,
    signer,
    client,
    opened,
    poll: (waitMs = 2_000) => client.pollTask({ body: { free: 1, waitMs } }),
    async take(waitMs) {
      const { task, reasons } = await miner.poll(waitMs)
      if (task === null) throw new Error(`no task came: ${reasons.join('; ')}`)
      return task
    },
    heartbeat: (task, unitsDone = 0) => client.renewLease({ params: toParams(task), body: { unitsDone } }),
    fetchMedia: (task, hash) => client.getTaskMedia({ params: { ...toParams(task), hash } }),
    putMedia: (task, data, hash = sha256(data)) => client.putTaskMedia({ params: { ...toParams(task), hash }, body: data }),
    async answerWith(output, media = []) {
      const task = await miner.take()
      for (const data of media) await miner.putMedia(task, data)
      await miner.submit(task, createSubmission(domainSeparator, signer, task, output))
      return task
    },
    push: (task, offset, tokenIds) => client.pushTokens({ params: toParams(task), body: { offset, tokenIds } }),
    submit: (task, body) => client.submitResult({ params: toParams(task), body }),
    async answer(text = 'ok') {
      const task = await miner.take()
      await miner.submit(task, createSubmission(domainSeparator, signer, task, toTextOutput(task, text)))
      return task
    },
    fail: (task, code = 'CUCKOO_TEST_FAILURE', fatal = false) => client.failTask({ params: toParams(task), body: { code, message: 'it did not work', fatal } }),
    leave: () => client.closeSession({}),
  }
  return miner
}

/** `text` as the output of `task`: 'length' when it fills what was asked for, else 'stop'. */
export function toTextOutput(task: PolledTask, text: string): TaskOutput {
  const tokenIds = toLetterIds(text)
  const maxTokens = 'maxTokens' in task.content.params ? task.content.params.maxTokens : 0
  return { tokenIds: tokenIds.slice(0, maxTokens), finishReason: tokenIds.length >= maxTokens ? 'length' : 'stop' }
}

/** A signed result; `change` falsifies it before it is signed. */
export function createSubmission(domainSeparator: Uint8Array, signer: Signer, task: PolledTask, output: TaskOutput, change: Partial<Result> = {}): SubmitBody {
  const result: Result = {
    assignment: toAssignmentDigest(domainSeparator, task.assignment) as Hash,
    outputHash: toOutputHash(output),
    units: change.units ?? toUnits(task.content, output),
    finishReason: 'finishReason' in output ? finishReasons[output.finishReason] : finishReasons.none,
    ...change,
  }
  return { result, signature: signer.sign(toResultDigest(domainSeparator, result)), output }
}
