import { weiPerCai } from '../../src/domain/amount.ts'
import { sha256 } from '../../src/domain/canonical.ts'
import { toDomainSeparator } from '../../src/domain/eip712.ts'
import type { Engine, ImageRun, OpenModel, OpenTokenizer, PipelineRun, RunHooks, TextRun } from '../../src/domain/enginePort.ts'
import { type Address, type Hash, toHex } from '../../src/domain/hex.ts'
import { type ImageTraits, type Manifest, toManifestDigest } from '../../src/domain/manifest.ts'
import type { ImageMedia, MediaFile } from '../../src/domain/media.ts'
import type { NodeRecord, Role } from '../../src/domain/node.ts'
import type { CoordinatorPayments, MinerStore, OutboxEntry, OutboxMedium, StartedTask } from '../../src/domain/storePorts.ts'
import type { EmbeddingOutput, ImageOutput, PipelineContent, PipelineOutput, TaskContent, TextInput, TextParams } from '../../src/domain/task.ts'
import { type ModelKind, modelKinds } from '../../src/domain/taskKinds.ts'

export const testDomain = { chainId: 31337, verifyingContract: '0x5fbdb2315678afecb367f032d93f642f64180aa3' as Address }
export const testDomainSeparator = toDomainSeparator(testDomain)

/** A node as the chain would show it: active, with bond and weight of `weightCai`. */
export function createNodeRecord(
  node: Address,
  role: Role,
  operator: Address,
  more: Partial<NodeRecord> & { url?: string; weightCai?: number } = {},
): NodeRecord {
  const { url = '', weightCai = role === 'miner' ? 21_000 : 2_100_000, ...rest } = more
  const weightWei = BigInt(weightCai) * weiPerCai
  return {
    node,
    role,
    active: true,
    away: false,
    suspended: false,
    jailedUntil: 0,
    operator,
    voterShareBps: 0,
    registeredAt: 1_700_000_000,
    bondWei: weightWei,
    votesWei: 0n,
    voteShares: 0n,
    thawingBondWei: 0n,
    thawingVotesWei: 0n,
    rewardsWei: 0n,
    weightWei,
    nonce: 0n,
    profileHash: '0x000000000000000000000000',
    profile: { name: role, url, description: '' },
    ...rest,
  }
}

const tokenizerJson = Buffer.from('{"a test tokenizer":true}')

const testImageTraits: ImageTraits = {
  sizeStep: 8,
  maxPixels: 256 * 256,
  maxSteps: 50,
  width: 64,
  height: 64,
  steps: 10,
  guidance: 2,
  scheduler: 'ddim',
  schedulers: ['ddim', 'euler'],
}

/** A manifest of one byte of weights, or of `bytes`. */
export function createManifest(model: string, kind: Manifest['kind'] = 'text', bytes = 1): Manifest {
  return {
    version: 1,
    model,
    revision: null,
    kind,
    dtype: 'fp32',
    files: [
      { path: 'tokenizer.json', bytes: tokenizerJson.length, sha256: sha256(tokenizerJson) },
      { path: 'onnx/model.onnx', bytes, sha256: sha256('m') },
    ],
    limits: { contextTokens: 256, maxOutputTokens: 128, maxBatch: kind === 'embedding' || kind === 'image' ? 8 : 1 },
    ...(kind === 'image' && { image: testImageTraits }),
    chatTemplate: false,
    eosTokenIds: [2],
    pooling: kind === 'embedding' ? 'mean' : null,
    proof: 'none',
  }
}

/** What the scripted model does with a prompt: emits ids through `onTokens` as it likes, and ends. */
export type TextScript = (run: {
  input: TextInput
  params: TextParams
  seed: bigint
  signal: AbortSignal
  onTokens: (tokenIds: number[]) => void
}) => Promise<TextRun['output']>

/** Counts from the seed up, one token at a time: `maxTokens` of them. */
const countingScript: TextScript = async ({ params, seed, onTokens }) => {
  const tokenIds = Array.from({ length: params.maxTokens }, (_, index) => Number(seed) + index)
  for (const tokenId of tokenIds) onTokens([tokenId])
  return { tokenIds, finishReason: 'length' }
}

/** What a scripted model does with a task that is not text. */
export type MediaScript = (run: {
  content: Extract<TaskContent, { kind: 'image' }> | PipelineContent
  media: Uint8Array | null
  signal: AbortSignal
  onStep: (done: number, steps: number) => void
  onFile: (file: MediaFile) => void
}) => Promise<{ output: ImageOutput | PipelineOutput; files: MediaFile[] }>

/** A PNG by its name only: nobody decodes it here. */
export function createTestImage(name: string, bytes = 0): MediaFile & { media: ImageMedia } {
  const data = Buffer.from(`a picture of ${name}`.padEnd(bytes))
  return { media: { sha256: sha256(data), bytes: data.length, type: 'image/png', width: 64, height: 64 }, data }
}

/** One image per step counted, a caption of as many characters as the input has bytes, labels for the rest. */
const describingScript: MediaScript = async ({ content, media, onStep }) => {
  if (content.kind === 'image') {
    for (let step = 1; step <= content.params.steps; step++) onStep(step, content.params.steps)
    const files = Array.from({ length: content.params.count }, (_, index) => createTestImage(`${content.input.prompt} ${index}`))
    return { output: { images: files.map((file) => file.media) }, files }
  }
  if (content.kind === 'captioning') return { output: { text: `${media?.length} bytes` }, files: [] }
  return { output: { labels: [{ label: 'good', score: 0.5 }] }, files: [] }
}

export interface FakeEngine extends Engine {
  /** seeds of the runs so far, warm-up (seed 0) left out */
  readonly runs: bigint[]
  /** names of the models that are loaded and not disposed of, and of all that were ever opened */
  readonly open: string[]
  readonly opened: string[]
  /** models that are loaded and not disposed of */
  readonly openModels: number
  script: TextScript
  mediaScript: MediaScript
  /** before a model opens */
  beforeOpen: (model: string) => Promise<void>
}

/** The kind that a test model's name ends with: `test/captioning`; text for all others. */
function toKind(model: string): ModelKind {
  if (model.includes('embed')) return 'embedding'
  return modelKinds.find((kind) => model === `test/${kind}`) ?? 'text'
}

/** An engine of one loaded model after another; text comes from `script`, embeddings are zeros. A name like `test/x-300` has weights of 300 bytes, and one with `gpu` runs on WebGPU. */
export function createFakeEngine(script: TextScript = countingScript): FakeEngine {
  const runs: bigint[] = []
  const open: string[] = []
  const opened: string[] = []
  const engine: FakeEngine = {
    runs,
    open,
    opened,
    script,
    mediaScript: describingScript,
    beforeOpen: async () => undefined,
    get openModels() {
      return open.length
    },
    listDevices: async () => [{ device: 'cpu', available: true, detail: 'always there' }],
    listBundledModels: async () => [],
    async openModel(request) {
      await engine.beforeOpen(request.model)
      const manifest = createManifest(request.model, toKind(request.model), Number(/-(\d+)$/.exec(request.model)?.[1] ?? 1))
      open.push(request.model)
      opened.push(request.model)
      let isOpen = true
      const tokenizer = { encodeText: async (text: string) => text.split(' ').map((_, index) => index + 3) } as unknown as OpenTokenizer
      const runMedia = async (
        content: Parameters<MediaScript>[0]['content'],
        media: Uint8Array | null,
        hooks: RunHooks & Partial<Pick<Parameters<MediaScript>[0], 'onStep' | 'onFile'>> = {},
      ) => {
        const { signal = new AbortController().signal, onStep = () => undefined, onFile = () => undefined } = hooks
        await hooks.onBegin?.(Promise.resolve())
        return { ...(await engine.mediaScript({ content, media, signal, onStep, onFile })), totalMs: 2 }
      }
      const model: OpenModel = {
        manifest,
        manifestDigest: toManifestDigest(manifest),
        device: request.model.includes('gpu') ? 'webgpu' : 'cpu',
        deviceReason: 'asked for',
        tokenizer,
        async generateText(input, params, seed, hooks) {
          const signal = hooks?.signal ?? new AbortController().signal
          const onTokens = hooks?.onTokens ?? (() => undefined)
          await hooks?.onBegin?.(Promise.resolve())
          if (seed === 0n) return { output: await countingScript({ input, params, seed, signal, onTokens }), firstTokenMs: 1, totalMs: 16 }
          runs.push(seed)
          const output = await engine.script({ input, params, seed, signal, onTokens })
          return { output, firstTokenMs: 1, totalMs: 2 }
        },
        async embed(input, _, hooks) {
          await hooks?.onBegin?.(Promise.resolve())
          const output: EmbeddingOutput = { dimensions: 1, embeddings: input.tokenIds.map(() => 'AAAAAA==') }
          return { output, totalMs: 1 }
        },
        generateImages: (input, params, _seed, hooks) => runMedia({ kind: 'image', input, params }, null, hooks) as Promise<ImageRun>,
        runPipeline: (content, media, hooks) => runMedia(content, media, hooks) as Promise<PipelineRun>,
        readFile: async () => tokenizerJson,
        async dispose() {
          if (isOpen) open.splice(open.indexOf(request.model), 1)
          isOpen = false
        },
      }
      return model
    },
    dispose: async () => undefined,
  }
  return engine
}

/** The journal and the books in memory. Hand it to a second miner for a restart. */
export interface FakeMinerStore extends MinerStore {
  readonly entries: Map<Hash, OutboxEntry>
}

export function createFakeMinerStore(): FakeMinerStore {
  const entries = new Map<Hash, OutboxEntry>()
  const media = new Map<Hash, readonly OutboxMedium[]>()
  const started = new Map<Hash, StartedTask & { crashedAtMs: number | null; reported: boolean }>()
  type Books = CoordinatorPayments & { prices: bigint[]; digests: Set<Hash> }
  const books = new Map<Address, Books>()
  const getBooks = (coordinator: Address): Books => {
    const account: Books = books.get(coordinator) ?? {
      coordinator,
      owedWei: 0n,
      results: 0,
      unpaidResults: 0,
      voucher: null,
      paymentRecord: 1,
      prices: [],
      digests: new Set<Hash>(),
    }
    books.set(coordinator, account)
    return account
  }
  const countUnpaid = ({ owedWei, voucher, prices }: Books): number => {
    let uncoveredWei = owedWei - (voucher?.voucher.cumulativeWei ?? 0n)
    let count = 0
    for (const priceWei of prices.toReversed()) {
      if (uncoveredWei <= 0n) break
      uncoveredWei -= priceWei
      count++
    }
    return count
  }
  return {
    entries,
    async journalResult({ deadline: _, ...entry }, files = []) {
      if (started.get(entry.assignmentDigest)?.crashedAtMs === null) started.delete(entry.assignmentDigest)
      const stored = entries.get(entry.assignmentDigest)
      if (stored !== undefined) return { entry: stored, created: false }
      const created = { ...entry, deliveredAtMs: null }
      entries.set(entry.assignmentDigest, created)
      media.set(entry.assignmentDigest, files)
      return { entry: created, created: true }
    },
    findResult: async (digest) => entries.get(digest) ?? null,
    sweepResults: async () => ({ results: 0, bytes: 0 }),
    listOutboxMedia: async (digest) => [...(media.get(digest) ?? [])],
    async markDelivered(digest, atMs) {
      media.delete(digest)
      const entry = entries.get(digest)
      if (entry !== undefined) entries.set(digest, { ...entry, deliveredAtMs: entry.deliveredAtMs ?? atMs })
    },
    listUndelivered: async (coordinator) => [...entries.values()].filter((entry) => entry.coordinator === coordinator && entry.deliveredAtMs === null),
    countResults: async () => ({ signed: entries.size, delivered: [...entries.values()].filter(({ deliveredAtMs }) => deliveredAtMs !== null).length }),
    async openAccount({ coordinator, voucher }) {
      if (books.has(coordinator)) return
      Object.assign(getBooks(coordinator), { voucher, owedWei: voucher?.voucher.cumulativeWei ?? 0n })
    },
    async addOwed({ coordinator, assignmentDigest, priceWei }) {
      const account = getBooks(coordinator)
      if (account.digests.has(assignmentDigest)) return
      account.digests.add(assignmentDigest)
      account.owedWei += priceWei
      account.results++
      if (priceWei > 0n) account.prices.push(priceWei)
    },
    async keepVoucher(signed) {
      getBooks(signed.voucher.coordinator).voucher = signed
    },
    listPayments: async () => [...books.values()].map((account) => ({ ...account, unpaidResults: countUnpaid(account) })),
    async keepPaymentRecord(coordinator, paymentRecord) {
      getBooks(coordinator).paymentRecord = paymentRecord
    },
    async markStarted(task) {
      started.set(task.assignmentDigest, { ...task, crashedAtMs: null, reported: false })
    },
    async clearStarted(digest) {
      for (const [key, { crashedAtMs }] of started) if (crashedAtMs === null && (digest === undefined || key === digest)) started.delete(key)
    },
    async markCrashed(atMs, digest) {
      for (const task of started.values()) if (task.crashedAtMs === null && (digest === undefined || task.assignmentDigest === digest)) task.crashedAtMs = atMs
    },
    async markCrashReported(digest) {
      const task = started.get(digest)
      if (task !== undefined) task.reported = true
    },
    takeCrashes: async (sinceMs) =>
      [...started.values()].flatMap(({ crashedAtMs, ...task }) => (crashedAtMs === null || crashedAtMs < sinceMs ? [] : [{ ...task, crashedAtMs }])),
    close: async () => undefined,
  }
}

/** A hash that is different for each `name`. */
export function toTestHash(name: string): Hash {
  return toHex(Buffer.from(sha256(name).slice(2), 'hex'))
}
