/**
 * The interfaces that roles speak and adaptors implement. `cli/compose.ts` is the only place that joins the two.
 */
import type { Address, Hash, Hex } from './hex.ts'
import type { Dtype, Manifest } from './manifest.ts'
import type { NodeRecord, Profile, Role } from './node.ts'
import type { Receipt } from './receipt.ts'
import type { AttemptFailure, EmbeddingInput, EmbeddingOutput, TaskContent, TaskState, TextInput, TextOutput, TextParams } from './task.ts'

// ---- time ----

export interface Clock {
  /** unix milliseconds */
  nowMs(): number
}

// ---- keys ----

/** A key that signs 32-byte digests. The key itself never leaves the adaptor. */
export interface Signer {
  readonly address: Address
  /** 65 bytes r ‖ s ‖ v (v 27 or 28), s in the lower half */
  sign(digest: Hash): Hex
}

/** secp256k1 verification, native where it is there. */
export interface SignatureVerifier {
  /** the address that signed, or null for a malformed or high-s signature */
  recover(digest: Hash, signature: Hex): Address | null
}

// ---- chain ----

export interface NetworkContracts {
  staking: Address
}

/** `networks/<name>.json`: what `deploy --out` writes and `--deployment` reads. */
export interface Deployment {
  network: string
  chainId: number
  contracts: NetworkContracts
  /** block of the first contract: where event reading starts */
  deploymentBlock: number
  rpcUrls: string[]
}

/** One contract call as it was, or with `dryRun` would be, sent. */
export interface TxReport {
  /** contract function, or 'deploy' or 'transfer' */
  action: string
  from: Address
  to: Address | null
  valueWei: bigint
  gas: bigint
  feeWei: bigint
  dryRun: boolean
  hash: Hash | null
  blockNumber: bigint | null
}

export type TxStage =
  | { stage: 'sent'; hash: Hash }
  | { stage: 'mined'; hash: Hash; blockNumber: bigint }
  | { stage: 'finality'; blockNumber: bigint; finalizedBlock: bigint }

export interface TxOptions {
  /** simulate and estimate only; nothing is signed or sent */
  dryRun?: boolean
  /** wait until the block is finalized, reported by `onStage` */
  waitForFinality?: boolean
  onStage?: (stage: TxStage) => void
  timeoutMs?: number
}

export interface Thaw {
  id: bigint
  node: Address
  kind: 'bond' | 'votes'
  amountWei: bigint
  /** unix seconds */
  releaseAt: number
}

export interface VotePosition {
  node: Address
  shares: bigint
  amountWei: bigint
}

/** Every bucket of one account at one block. */
export interface AccountRecord {
  account: Address
  /** CAI outside the contract, in wei */
  walletWei: bigint
  freeWei: bigint
  bondWei: bigint
  votes: VotePosition[]
  thaws: Thaw[]
  /** the account's own node, registered or once registered */
  node: NodeRecord | null
  blockNumber: bigint
  blockTimestamp: number
}

/** Registered nodes at one block. */
export interface NodeSet {
  blockNumber: bigint
  /** unix seconds of that block */
  blockTimestamp: number
  nodes: ReadonlyMap<Address, NodeRecord>
}

/** A node set kept current by events, with reorg handling. When the RPC fails, the last set stays and its age grows. */
export interface NodeSetWatch {
  current(): NodeSet
  /** milliseconds since the last successful refresh */
  ageMs(): number
  /** calls `listener` after each change; returns a function that stops it */
  onChange(listener: (set: NodeSet) => void): () => void
  stop(): Promise<void>
}

export interface RegistrationRequest {
  role: Role
  operator: Address
  voterShareBps: number
  bondWei: bigint
  profile: Profile
  /** unix seconds */
  deadline: number
  operatorSignature: Hex
  /** sent along and added to free first */
  valueWei: bigint
}

/** Reading the contracts. Coordinator and miner need no more. */
export interface ChainReader {
  readonly deployment: Deployment
  /** EIP-712 domain separator, 32 bytes */
  readonly domainSeparator: Uint8Array
  getNode(node: Address): Promise<NodeRecord>
  getNodes(role: Role): Promise<NodeRecord[]>
  /** `onError` sees each refresh that failed; the last set stays */
  watchNodes(options: { pollMs: number; confirmations: number; onError?: (error: unknown) => void }): Promise<NodeSetWatch>
  /** node that an operator key belongs to, and unix seconds until which its signatures count; null: nobody's */
  findOperator(operator: Address): Promise<{ node: Address; validUntil: bigint } | null>
  /** every key that ever signed for `node`, the current one first */
  getOperators(node: Address): Promise<Address[]>
  getAccount(account: Address): Promise<AccountRecord>
  getTotalWeight(role: Role): Promise<bigint>
  getTiming(): Promise<{ thawSeconds: number; epochSeconds: number }>
  /** latest and finalized block: number and unix seconds */
  getBlocks(): Promise<{ latest: { number: bigint; timestamp: number }; finalized: { number: bigint; timestamp: number } }>
}

/** Reading and writing the contracts, one verb per contract function. Each write returns what was, or would be, sent. */
export interface Chain extends ChainReader {
  stake(signer: Signer, input: { amountWei: bigint }, options?: TxOptions): Promise<TxReport>
  withdraw(signer: Signer, input: { thawIds: bigint[]; freeWei: bigint | 'all'; to: Address }, options?: TxOptions): Promise<TxReport>
  bond(signer: Signer, input: { amountWei: bigint }, options?: TxOptions): Promise<TxReport>
  unbond(signer: Signer, input: { amountWei: bigint }, options?: TxOptions): Promise<TxReport>
  vote(signer: Signer, input: { node: Address; amountWei: bigint; minShares: bigint }, options?: TxOptions): Promise<TxReport>
  unvote(signer: Signer, input: { node: Address; shares: bigint; minAmountWei: bigint }, options?: TxOptions): Promise<TxReport>
  register(signer: Signer, input: RegistrationRequest, options?: TxOptions): Promise<TxReport>
  setProfile(signer: Signer, input: { profile: Profile }, options?: TxOptions): Promise<TxReport>
  setOperator(signer: Signer, input: { operator: Address; deadline: number; operatorSignature: Hex }, options?: TxOptions): Promise<TxReport>
  setVoterShare(signer: Signer, input: { voterShareBps: number }, options?: TxOptions): Promise<TxReport>
  deregister(signer: Signer, options?: TxOptions): Promise<TxReport>
  transfer(signer: Signer, input: { to: Address; amountWei: bigint }, options?: TxOptions): Promise<TxReport>
}

// ---- the coordinator's store ----

export interface AppRecord {
  id: string
  name: string
  /** SHA-256 of the key; the key itself is shown once and never kept */
  keyHash: Hash
  /** first characters of the key, for people to tell keys apart */
  keyPrefix: string
  /** unix ms */
  createdAt: number
  /** unix ms */
  revokedAt: number | null
}

export interface TaskRecord {
  id: Hash
  appId: string
  idempotencyKey: string | null
  /** hash of the request that came with the idempotency key: the same key with another request is refused */
  requestHash: Hash
  model: string
  manifest: Hash
  kind: TaskContent['kind']
  inputHash: Hash
  paramsHash: Hash
  seed: bigint
  taskKey: Hash
  /** the only miner that may run it, for testing one's own; null: drawn among all */
  targetMiner: Address | null
  unitPriceWei: bigint
  maxPriceWei: bigint
  state: TaskState
  /** attempts started so far; the running attempt's number while assigned or running */
  attempt: number
  /** the miner (node) that holds the lease or finished the task */
  miner: Address | null
  /** unix ms until which the lease holds; null when nobody holds it */
  leaseUntilMs: number | null
  failures: AttemptFailure[]
  outputHash: Hash | null
  receipt: Receipt | null
  /** unix ms */
  createdAtMs: number
  finishedAtMs: number | null
}

export interface NewTask extends Omit<TaskRecord, 'state' | 'attempt' | 'miner' | 'leaseUntilMs' | 'failures' | 'outputHash' | 'receipt' | 'finishedAtMs'> {
  /** canonical JSON of input and params, with their SHA-256 that they are kept under */
  blobs: { hash: Hash; bytes: Uint8Array }[]
}

/** Compare-and-set on (task, attempt, state): null means that somebody was faster, with nothing changed. */
export type Swap<T> = Promise<T | null>

/** API keys. A command in another process writes them while the coordinator serves, which sees each change at its next look. */
export interface AppStore {
  createApp(app: AppRecord): Promise<void>
  findAppByKeyHash(keyHash: Hash): Promise<AppRecord | null>
  listApps(): Promise<AppRecord[]>
  /** null: no such app */
  revokeApp(id: string, atMs: number): Swap<AppRecord>
  close(): Promise<void>
}

/**
 * What the coordinator must not forget. Every promise resolves after its transaction is on disk (group commit): what is
 * acknowledged is durable. One process owns a store at a time.
 */
export interface CoordinatorStore extends AppStore {
  /** starts at 1 and rises by one each time the store is opened by a coordinator: part of task ids */
  readonly incarnation: number

  /** Creates the task, or finds the one that the same app made with the same idempotency key (`created: false`). */
  createTask(task: NewTask): Promise<{ task: TaskRecord; created: boolean }>
  getTask(id: Hash): Promise<TaskRecord | null>
  findTaskByIdempotencyKey(appId: string, idempotencyKey: string): Promise<TaskRecord | null>
  listOpenTasks(): Promise<TaskRecord[]>
  listTasks(filter: { appId?: string; state?: TaskState; limit: number }): Promise<TaskRecord[]>

  /** queued → assigned as `attempt` = previous + 1. Journals the signed assignment in the same transaction, before it is sent. */
  assignTask(input: {
    id: Hash
    attempt: number
    miner: Address
    leaseUntilMs: number
    assignmentDigest: Hash
    signedAssignment: Uint8Array
    draw: DrawRecord
  }): Swap<TaskRecord>
  /** assigned | running → running with a later lease. */
  renewLease(input: { id: Hash; attempt: number; leaseUntilMs: number }): Swap<TaskRecord>
  /** assigned | running → done. Stores output blob and receipt in the same transaction. */
  completeTask(input: { id: Hash; attempt: number; outputHash: Hash; output: Uint8Array; receipt: Receipt; finishedAtMs: number }): Swap<TaskRecord>
  /** assigned | running → queued, failed or dead, with the reason kept. */
  endAttempt(input: { id: Hash; attempt: number; next: 'queued' | 'failed' | 'dead'; failure: AttemptFailure; atMs: number }): Swap<TaskRecord>
  /** any open state → cancelled. */
  cancelTask(input: { id: Hash; atMs: number }): Swap<TaskRecord>

  /** the bytes journalled by {@link assignTask} for this attempt */
  getSignedAssignment(taskId: Hash, attempt: number): Promise<Uint8Array | null>

  putBlob(bytes: Uint8Array): Promise<Hash>
  getBlob(hash: Hash): Promise<Uint8Array | null>

  putManifest(manifest: Manifest, digest: Hash, unixMs: number): Promise<void>
  listManifests(): Promise<{ digest: Hash; manifest: Manifest; firstSeenAtMs: number }[]>

  /** Chain of the draw log so far: its head (zero hash when empty) and the number of entries. */
  getDrawLog(): Promise<{ head: Hash; index: bigint }>
  /** Keeps the epoch's secret if the epoch has none yet, and returns the one it has: a restart draws on with the same secret. */
  openDrawEpoch(epoch: DrawEpoch): Promise<DrawEpoch>

  countTasksByState(): Promise<Record<TaskState, number>>
}

/** One hour of draws: the secret that points come from, and its commitment keccak256(secret), shown before the secret is. */
export interface DrawEpoch {
  /** hours since 1970 */
  epoch: number
  secret: Hash
  commitment: Hash
}

/** One entry of the append-only draw log; `head` = keccak256(previous head ‖ canonical JSON of the entry without head). */
export interface DrawRecord {
  index: bigint
  taskId: Hash
  attempt: number
  miner: Address
  commitment: Hash
  /** which of the values k = 0…63 landed; 64: none did, and the draw was among those waiting */
  k: number
  /** weights of those waiting, in wei, and the number of them */
  totalWeightWei: bigint
  waiting: number
  atMs: number
  head: Hash
}

// ---- the miner's store ----

/** A signed result that may still have to be delivered. The same bytes are sent again, never others. */
export interface OutboxEntry {
  assignmentDigest: Hash
  taskId: Hash
  attempt: number
  coordinator: Address
  /** canonical JSON of the submission, as it goes on the wire */
  body: Uint8Array
  deliveredAtMs: number | null
}

export interface MinerStore {
  /** Journals what was signed before it leaves. A second, different body for one assignment is refused: the stored one comes back with `created: false`. */
  journalResult(entry: Omit<OutboxEntry, 'deliveredAtMs'>): Promise<{ entry: OutboxEntry; created: boolean }>
  markDelivered(assignmentDigest: Hash, atMs: number): Promise<void>
  listUndelivered(coordinator: Address): Promise<OutboxEntry[]>
  countResults(): Promise<{ signed: number; delivered: number }>
  close(): Promise<void>
}

// ---- inference ----

export const deviceNames = ['cpu', 'webgpu', 'cuda'] as const
export type DeviceName = (typeof deviceNames)[number]

export interface DeviceInfo {
  device: DeviceName
  available: boolean
  /** why it is, or is not, there */
  detail: string
}

/** Where a model's files are: shipped with cuckoo, in a folder `<dir>/<model>`, or on the hub at a commit. */
export type ModelSource = { from: 'bundled' } | { from: 'folder'; directory: string } | { from: 'hub'; revision: string | null }

export interface DownloadProgress {
  file: string
  receivedBytes: number
  totalBytes: number
}

export interface OpenModelRequest {
  /** `owner/model` */
  model: string
  source: ModelSource
  dtype: Dtype
  /** `auto` picks the best that is there and says why; a named one is used or refused, never replaced */
  device: DeviceName | 'auto'
  onProgress?: (progress: DownloadProgress) => void
  signal?: AbortSignal
}

export interface TextRun {
  output: TextOutput
  /** ms from start to the first token, and to the end */
  firstTokenMs: number
  totalMs: number
}

/** A loaded model in its worker. Runs are queued one after another. */
export interface OpenModel {
  readonly manifest: Manifest
  readonly manifestDigest: Hash
  readonly device: DeviceName
  readonly deviceReason: string
  /**
   * Generates from prompt token ids. `onTokens` sees ids as they are made. Ends early with the signal's reason on abort.
   */
  generateText(input: TextInput, params: TextParams, seed: bigint, hooks?: { signal?: AbortSignal; onTokens?: (tokenIds: number[]) => void }): Promise<TextRun>
  embed(input: EmbeddingInput, params: { normalize: boolean }, hooks?: { signal?: AbortSignal }): Promise<{ output: EmbeddingOutput; totalMs: number }>
  readonly tokenizer: OpenTokenizer
  /** bytes of one of the manifest's files */
  readFile(path: string): Promise<Uint8Array>
  dispose(): Promise<void>
}

export interface Engine {
  listDevices(): Promise<DeviceInfo[]>
  /** models shipped with cuckoo: name, kind and dtypes */
  listBundledModels(): Promise<{ model: string; kind: Manifest['kind']; dtypes: Dtype[]; bytes: number }[]>
  openModel(request: OpenModelRequest): Promise<OpenModel>
  /** ends all workers */
  dispose(): Promise<void>
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** Text to token ids and back, off the event loop and bounded in time: the files may come from a stranger. */
export interface OpenTokenizer {
  readonly hasChatTemplate: boolean
  /** ids of the chat template's text with the generation prompt; `date` (YYYY-MM-DD) is what a template's clock shows */
  encodeChat(messages: ChatMessage[], date: string): Promise<number[]>
  /** ids of plain text with the model's own start token */
  encodeText(text: string): Promise<number[]>
  /** text of `tokenIds`, special tokens left out */
  decode(tokenIds: number[]): Promise<string>
  /** text piece by piece: each call returns what became certain (a character split over tokens is held back) */
  createDecoder(): { push(tokenIds: number[]): Promise<string>; flush(): Promise<string> }
  dispose(): Promise<void>
}

export interface Tokenizers {
  /** `files`: bytes by path, those of {@link tokenizerFiles} that the manifest has */
  openTokenizer(files: ReadonlyMap<string, Uint8Array>): Promise<OpenTokenizer>
  dispose(): Promise<void>
}
