import type { Address, Hash, Hex } from './hex.ts'
import type { NodeRecord, Profile, Role } from './node.ts'
import type { Signer } from './ports.ts'

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
