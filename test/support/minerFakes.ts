import { weiPerCai } from '../../src/domain/amount.ts'
import { sha256 } from '../../src/domain/canonical.ts'
import { toDomainSeparator } from '../../src/domain/eip712.ts'
import type { Engine, OpenModel, OpenTokenizer, TextRun } from '../../src/domain/enginePort.ts'
import { type Address, type Hash, toHex } from '../../src/domain/hex.ts'
import { type Manifest, toManifestDigest } from '../../src/domain/manifest.ts'
import type { NodeRecord, Role } from '../../src/domain/node.ts'
import type { CoordinatorPayments, MinerStore, OutboxEntry } from '../../src/domain/storePorts.ts'
import type { EmbeddingOutput, TextInput, TextParams } from '../../src/domain/task.ts'

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

export function createManifest(model: string, kind: Manifest['kind'] = 'text'): Manifest {
  return {
    version: 1,
    model,
    revision: null,
    kind,
    dtype: 'fp32',
    files: [
      { path: 'tokenizer.json', bytes: tokenizerJson.length, sha256: sha256(tokenizerJson) },
      { path: 'onnx/model.onnx', bytes: 1, sha256: sha256('m') },
    ],
    limits: { contextTokens: 256, maxOutputTokens: 128, maxBatch: kind === 'text' ? 1 : 8 },
    chatTemplate: false,
    eosTokenIds: [2],
    pooling: kind === 'text' ? null : 'mean',
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

export interface FakeEngine extends Engine {
  /** seeds of the runs so far, warm-up (seed 0) left out */
  readonly runs: bigint[]
  /** models that are loaded and not disposed of */
  readonly openModels: number
  script: TextScript
}

/** An engine of one loaded model after another; text comes from `script`, embeddings are zeros. */
export function createFakeEngine(script: TextScript = countingScript): FakeEngine {
  const runs: bigint[] = []
  let openModels = 0
  const engine: FakeEngine = {
    runs,
    script,
    get openModels() {
      return openModels
    },
    listDevices: async () => [{ device: 'cpu', available: true, detail: 'always there' }],
    listBundledModels: async () => [],
    async openModel(request) {
      const manifest = createManifest(request.model, request.model.includes('embed') ? 'embedding' : 'text')
      openModels++
      const tokenizer = { encodeText: async (text: string) => text.split(' ').map((_, index) => index + 3) } as unknown as OpenTokenizer
      const model: OpenModel = {
        manifest,
        manifestDigest: toManifestDigest(manifest),
        device: 'cpu',
        deviceReason: 'asked for',
        tokenizer,
        async generateText(input, params, seed, hooks) {
          const signal = hooks?.signal ?? new AbortController().signal
          const onTokens = hooks?.onTokens ?? (() => undefined)
          if (seed === 0n) return { output: await countingScript({ input, params, seed, signal, onTokens }), firstTokenMs: 1, totalMs: 16 }
          runs.push(seed)
          const output = await engine.script({ input, params, seed, signal, onTokens })
          return { output, firstTokenMs: 1, totalMs: 2 }
        },
        async embed(input) {
          const output: EmbeddingOutput = { dimensions: 1, embeddings: input.tokenIds.map(() => 'AAAAAA==') }
          return { output, totalMs: 1 }
        },
        async generateImages() {
          throw new Error('this fake makes no images')
        },
        async runPipeline() {
          throw new Error('this fake runs no pipelines')
        },
        readFile: async () => tokenizerJson,
        async dispose() {
          openModels--
        },
      }
      return model
    },
    dispose: async () => undefined,
  }
  return engine
}

export interface FakeMinerStore extends MinerStore {
  readonly entries: Map<Hash, OutboxEntry>
}

/** The journal and the books in memory. Hand it to a second miner for a restart. */
export interface FakeMinerStore extends MinerStore {
  readonly entries: Map<Hash, OutboxEntry>
}

export function createFakeMinerStore(): FakeMinerStore {
  const entries = new Map<Hash, OutboxEntry>()
  const books = new Map<Address, CoordinatorPayments & { prices: bigint[]; digests: Set<Hash> }>()
  const getBooks = (coordinator: Address) => {
    const account = books.get(coordinator) ?? {
      coordinator,
      owedWei: 0n,
      results: 0,
      unpaidResults: 0,
      voucher: null,
      prices: [],
      digests: new Set<Hash>(),
    }
    books.set(coordinator, account)
    return account
  }
  const countUnpaid = ({ owedWei, voucher, prices }: ReturnType<typeof getBooks>): number => {
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
    async journalResult(entry) {
      const stored = entries.get(entry.assignmentDigest)
      if (stored !== undefined) return { entry: stored, created: false }
      const created = { ...entry, deliveredAtMs: null }
      entries.set(entry.assignmentDigest, created)
      return { entry: created, created: true }
    },
    async markDelivered(digest, atMs) {
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
    close: async () => undefined,
  }
}

/** A hash that is different for each `name`. */
export function toTestHash(name: string): Hash {
  return toHex(Buffer.from(sha256(name).slice(2), 'hex'))
}
