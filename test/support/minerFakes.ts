import { weiPerCai } from '../../src/domain/amount.ts'
import { sha256 } from '../../src/domain/canonical.ts'
import type { ChainReader, NodeSet, NodeSetWatch } from '../../src/domain/chainPort.ts'
import { toDomainSeparator } from '../../src/domain/eip712.ts'
import type { Engine, OpenModel, OpenTokenizer, TextRun } from '../../src/domain/enginePort.ts'
import { type Address, type Hash, toHex, zeroHash } from '../../src/domain/hex.ts'
import { type Manifest, toManifestDigest } from '../../src/domain/manifest.ts'
import type { NodeRecord, Role } from '../../src/domain/node.ts'
import type { MinerStore, OutboxEntry } from '../../src/domain/storePorts.ts'
import type { EmbeddingOutput, TextInput, TextParams } from '../../src/domain/task.ts'

const testDomain = { chainId: 31337, verifyingContract: '0x5fbdb2315678afecb367f032d93f642f64180aa3' as Address }
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
    operator,
    voterShareBps: 0,
    registeredAt: 1_700_000_000,
    bondWei: weightWei,
    votesWei: 0n,
    voteShares: 0n,
    weightWei,
    nonce: 0n,
    profileHash: zeroHash,
    profile: { name: role, url, description: '' },
    ...rest,
  }
}

/** A chain whose nodes are what the test says. */
export interface FakeChain extends ChainReader {
  /** replaces the nodes and tells everybody who watches */
  setNodes(records: NodeRecord[]): void
  /** watches that nobody stopped */
  readonly openWatches: number
}

export function createFakeChain(records: NodeRecord[]): FakeChain {
  const listeners = new Set<(set: NodeSet) => void>()
  const toSet = (list: NodeRecord[]): NodeSet => ({
    blockNumber: 1n,
    blockTimestamp: 1_700_000_000,
    nodes: new Map(list.map((record) => [record.node, record])),
  })
  let set = toSet(records)
  let openWatches = 0
  const watch: NodeSetWatch = {
    current: () => set,
    ageMs: () => 5,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async stop() {
      openWatches--
    },
  }
  const absent = () => Promise.reject(new Error('the miner does not need this'))
  return {
    deployment: { network: 'test', chainId: testDomain.chainId, contracts: { staking: testDomain.verifyingContract }, deploymentBlock: 0, rpcUrls: [] },
    domainSeparator: testDomainSeparator,
    setNodes(list) {
      set = toSet(list)
      for (const listener of listeners) listener(set)
    },
    get openWatches() {
      return openWatches
    },
    getNode: async (node) => set.nodes.get(node) ?? createNodeRecord(node, 'miner', node, { role: 'none', active: false, weightCai: 0 }),
    getNodes: async (role) => [...set.nodes.values()].filter((record) => record.role === role),
    async watchNodes() {
      openWatches++
      return watch
    },
    async findOperator(operator) {
      const record = [...set.nodes.values()].find((one) => one.operator === operator)
      return record === undefined ? null : { node: record.node, validUntil: 2n ** 64n - 1n }
    },
    getOperators: async (node) => [set.nodes.get(node)?.operator ?? node],
    getAccount: absent,
    getTotalWeight: absent,
    getTiming: absent,
    getBlocks: absent,
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

/** The journal in memory. Hand it to a second miner for a restart. */
export function createFakeMinerStore(): FakeMinerStore {
  const entries = new Map<Hash, OutboxEntry>()
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
    close: async () => undefined,
  }
}

/** A hash that is different for each `name`. */
export function toTestHash(name: string): Hash {
  return toHex(Buffer.from(sha256(name).slice(2), 'hex'))
}
