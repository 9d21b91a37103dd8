import type { CaseRecord, ConvictionRecord, CreditRecord, DisputeRecord, Evidence, RoundRecord, SeatRecord, Side, SlashRecord, Vote } from './dispute.ts'
import type { Address, Hash, Hex } from './hex.ts'
import type { NodeRecord, Profile, Role } from './node.ts'
import type { ClaimRecord, EscrowRecord, LineRecord, SignedVoucher } from './payments.ts'
import type { Signer } from './ports.ts'
import type { Receipt, SignedAssignment } from './receipt.ts'

/** Addresses of the five contracts. */
export interface NetworkContracts {
  staking: Address
  payments: Address
  court: Address
  epochs: Address
  randomness: Address
}

/** Where seeds come from: drand's evmnet beacon, or block hashes (chain id 31337 only). */
export type RandomnessKind = 'drand' | 'blockhash'

/** What a deployment fixes for ever: durations in seconds. */
export interface NetworkParameters {
  thawSeconds: number
  /** epochs in which bonds are kept, for juries */
  epochSeconds: number
  rewardSeconds: number
  dripSeconds: number
  freezeSeconds: number
  topUpSeconds: number
  /** epochs of draws, and the time to reveal after one */
  drawSeconds: number
  graceSeconds: number
  evidenceSeconds: number
  sealSeconds: number
  commitSeconds: number
  revealSeconds: number
  appealSeconds: number
  jailSeconds: number
  jurorFeeWei: bigint
  /** seats of the three rounds */
  seats: readonly [number, number, number]
}

/** `networks/<name>.json`: what `deploy --out` writes and `--deployment` reads. */
export interface Deployment {
  network: string
  chainId: number
  contracts: NetworkContracts
  randomness: RandomnessKind
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
  /** what `claim` would move to free now, for the own node */
  rewardsWei: bigint
  /** what the court holds for the account */
  credits: CreditRecord
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

/** Reading the contracts. */
export interface ChainReader extends RewardReader, PaymentReader, CourtReader, EpochReader {
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
  /** a lower voter share that is announced, and unix seconds from which it counts; null: none waits */
  findShareDrop(node: Address): Promise<{ voterShareBps: number; effectiveAt: number } | null>
  getAccount(account: Address): Promise<AccountRecord>
  getTotalWeight(role: Role): Promise<bigint>
  /** what the deployment fixed: never changes, read once */
  getParameters(): Promise<NetworkParameters>
  /** latest and finalized block: number and unix seconds */
  getBlocks(): Promise<{ latest: { number: bigint; timestamp: number }; finalized: { number: bigint; timestamp: number } }>
}

/** What a role's stream of rewards gives now. */
export interface StreamRecord {
  /** wei per second to the whole role */
  rateWei: bigint
  /** unix seconds; not later than now: no period runs */
  endsAt: number
  /** waits for the next period */
  nextWei: bigint
  /** weight of all active nodes of the role */
  weightWei: bigint
}

export interface RewardRecord {
  node: Address
  /** claimable by the owner now */
  ownerWei: bigint
  /** voters' task income that still drips into the vote pool, and until when */
  drip: { waitingWei: bigint; endsAt: number }
}

/** What a node earned in one span of time. */
export interface EarningRecord {
  /** unix seconds of the span's start: spans are the deployment's bond epochs */
  startsAt: number
  /** rewards from the stream */
  ownerRewardsWei: bigint
  votersRewardsWei: bigint
  /** income from tasks */
  ownerIncomeWei: bigint
  votersIncomeWei: bigint
  /** the owner took out of it into free */
  claimedWei: bigint
}

export interface RewardReader {
  getRewards(node: Address): Promise<RewardRecord>
  getStream(role: Role): Promise<StreamRecord>
  /** the reward pool that `pour` divides, in wei */
  getUndistributed(): Promise<bigint>
  /** oldest first, spans without any event left out; from the events of the contract */
  getEarnings(node: Address): Promise<EarningRecord[]>
}

export interface PaymentReader {
  getEscrow(coordinator: Address): Promise<EscrowRecord>
  getLine(coordinator: Address, miner: Address): Promise<LineRecord>
  /** every line that one of the two parties has, in the order in which they were opened */
  getLines(party: { coordinator: Address } | { miner: Address }): Promise<LineRecord[]>
  /** claims that are neither covered nor collected */
  getClaims(party: { coordinator: Address } | { miner: Address }): Promise<ClaimRecord[]>
  /** what redeeming a voucher over `cumulativeWei` would pay at once and claim on the bond, now */
  previewRedeem(coordinator: Address, miner: Address, cumulativeWei: bigint): Promise<{ paidWei: bigint; claimedWei: bigint }>
}

export interface CourtReader {
  /** @throws CUCKOO_COURT_CASE_UNKNOWN */
  getDispute(caseId: bigint): Promise<DisputeRecord>
  /** all rounds so far */
  getRounds(caseId: bigint): Promise<RoundRecord[]>
  getSeat(caseId: bigint, round: number, node: Address): Promise<SeatRecord>
  getConvictions(node: Address): Promise<ConvictionRecord>
  /** what a case is about, with its evidence. @throws CUCKOO_COURT_CASE_UNKNOWN */
  getCase(caseId: bigint): Promise<CaseRecord>
  /** cases that are not closed, newest first */
  listOpenDisputes(): Promise<DisputeRecord[]>
  /** every slash of `node`, oldest first, with its reason */
  getSlashes(node: Address): Promise<SlashRecord[]>
  /** rounds in which `node` committed a vote, oldest first, of open and closed cases; from the events of the contract */
  listBallots(node: Address): Promise<{ caseId: bigint; round: number }[]>
  getCredits(account: Address): Promise<CreditRecord>
  getChallengeBond(accused: Address): Promise<bigint>
  /** bond of the next appeal */
  getAppealBond(caseId: bigint): Promise<bigint>
  /** commitment of a vote: keccak256(abi.encode(chain id, court, case, round, node, vote, salt)) */
  toVoteCommitment(ballot: Ballot): Hash
}

export interface EpochReader {
  /** of the coordinator's secret for draw epoch `epoch`; null: none, or revealed */
  findEpochCommitment(coordinator: Address, epoch: bigint): Promise<Hash | null>
  /** epochs for which the coordinator is suspended now */
  getOverdueCount(coordinator: Address): Promise<number>
  /** what a secret's commitment is on chain: keccak256(abi.encode(coordinator, epoch, secret)) */
  toEpochCommitment(coordinator: Address, epoch: bigint, secret: Hash): Hash
}

/** One juror's vote in one round, before it is hidden. */
export interface Ballot {
  caseId: bigint
  round: number
  node: Address
  vote: Vote
  salt: Hash
}

type Write<I> = (signer: Signer, input: I, options?: TxOptions) => Promise<TxReport>

export interface RewardWriter {
  fund: Write<{ role: Role; amountWei: bigint }>
  /** gives the reward pool to the two streams */
  pour: Write<Record<never, never>>
  /** by the node's owner or operator; the money goes to the owner's free */
  claim: Write<{ node: Address }>
  /** goes inactive until {@link RewardWriter.rejoin} */
  rest: Write<{ node: Address }>
  rejoin: Write<{ node: Address }>
}

export interface PaymentWriter {
  depositEscrow: Write<{ coordinator: Address; amountWei: bigint }>
  requestEscrow: Write<{ amountWei: bigint }>
  withdrawEscrow: Write<{ to: Address }>
  raiseLines: Write<{ coordinator: Address; lines: readonly { miner: Address; addedWei: bigint }[] }>
  noticeLine: Write<{ coordinator: Address; miner: Address; capWei: bigint }>
  applyNotice: Write<{ coordinator: Address; miner: Address }>
  redeem: Write<{ vouchers: readonly SignedVoucher[] }>
  coverClaims: Write<{ claimIds: readonly bigint[] }>
  penaliseClaim: Write<{ claimId: bigint }>
  collectClaim: Write<{ claimId: bigint }>
}

export interface CourtWriter {
  reportMiner: Write<{ first: Receipt; second: Pick<Receipt, 'result' | 'resultSignature'> }>
  reportCoordinator: Write<{ first: SignedAssignment; second: SignedAssignment }>
  challenge: Write<{ receipt: Receipt; evidence: Evidence; bondWei: bigint }>
  addEvidence: Write<{ caseId: bigint; data: Uint8Array }>
  /** `proof`: the beacon's signature; empty for block hashes */
  sealRound: Write<{ caseId: bigint; proof: Hex }>
  summonJuror: Write<{ caseId: bigint; node: Address }>
  commitVote: Write<{ caseId: bigint; node: Address; commitment: Hash }>
  revealVote: Write<{ caseId: bigint; node: Address; vote: Vote; salt: Hash }>
  concludeRound: Write<{ caseId: bigint }>
  appeal: Write<{ caseId: bigint; side: Side; bondWei: bigint }>
  fineJuror: Write<{ caseId: bigint; round: number; node: Address }>
  creditJuror: Write<{ caseId: bigint; round: number; node: Address }>
  withdrawCredits: Write<{ to: Address }>
  withdrawCut: Write<{ caseId: bigint; to: Address }>
}

export interface EpochWriter {
  commitEpoch: Write<{ coordinator: Address; epoch: bigint; commitment: Hash }>
  revealEpoch: Write<{ coordinator: Address; epoch: bigint; secret: Hash }>
  /** both in one transaction */
  turnEpoch: Write<{ coordinator: Address; revealed: bigint; secret: Hash; committed: bigint; commitment: Hash }>
  suspendCoordinator: Write<{ coordinator: Address; epoch: bigint }>
}

/** Reading and writing the contracts, one verb per contract function. Each write returns what was, or would be, sent. */
export interface Chain extends ChainReader, RewardWriter, PaymentWriter, CourtWriter, EpochWriter {
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
