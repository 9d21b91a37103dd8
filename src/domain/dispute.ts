import type { Address, Hash, Hex } from './hex.ts'
import type { Receipt } from './receipt.ts'

/** What a juror says about: this output is what this manifest gives for this input. The numbers are the contract's `Vote`. */
export const voteNumbers = { none: 0, valid: 1, invalid: 2, 'cannot-judge': 3 } as const
export type Vote = Exclude<keyof typeof voteNumbers, 'none'>
/** A side that money can be put on. */
export type Side = 'valid' | 'invalid'

/** Of a round or a case, in the order of the contract's `Verdict`. */
export const verdicts = ['none', 'valid', 'invalid', 'undecided'] as const
export type Verdict = (typeof verdicts)[number]

/** Where a dispute stands, in the order of the contract's `Stage`. `due`: a window has ended, `conclude` carries it on. */
export const stages = ['none', 'sealing', 'committing', 'revealing', 'due', 'appealing', 'closed'] as const
export type Stage = (typeof stages)[number]

/** The three byte strings whose SHA-256 the receipt carries: canonical JSON of input, params and output. */
export interface Evidence {
  input: Uint8Array
  params: Uint8Array
  output: Uint8Array
}

/** The most bytes that the three parts of the evidence, or one addition to it, may have together. */
export const maxEvidenceBytes = 24_576

export interface DisputeRecord {
  caseId: bigint
  accused: Address
  challenger: Address
  /** unix seconds of the assignment */
  issuedAt: number
  stage: Stage
  /** 0-based */
  round: number
  /** what the slash's percentage is of */
  baseWei: bigint
  /** fee per seat of the first round */
  feeWei: bigint
  /** of the case when closed, else of the last concluded round */
  verdict: Verdict
}

export interface RoundRecord {
  round: number
  /** seats of this size of jury */
  seats: number
  referenceEpoch: bigint
  eligibleWei: bigint
  randomnessRound: bigint
  /** null until sealed */
  seed: Hash | null
  /** unix seconds as they stand now; null until known */
  commitEndsAt: number | null
  revealEndsAt: number | null
  appealEndsAt: number | null
  validSeats: number
  invalidSeats: number
  cannotJudgeSeats: number
  verdict: Verdict
  payer: Address
  side: Side
  potWei: bigint
}

export interface SeatRecord {
  caseId: bigint
  round: number
  node: Address
  seats: number
  /** written down on chain, else computed now */
  pinned: boolean
  commitment: Hash | null
  vote: Vote | null
  fined: boolean
  paid: boolean
}

/** Convictions of a node so far. */
export interface ConvictionRecord {
  node: Address
  /** 0 to 3 */
  step: number
  /** unix seconds: assignments issued later count for the next step */
  stepAt: number
  /** what the present step has taken so far, 1/10,000 of each base */
  stepBps: number
  openDisputes: number
  /** what they could take together */
  frozenWei: bigint
}

/** What a case is about, as its opening event tells: everything that a juror needs. */
export type CaseReason =
  | { kind: 'challenge'; receipt: Receipt; evidence: Evidence; additions: { from: Address; data: Uint8Array }[] }
  | { kind: 'miner-equivocation'; assignment: Hash; first: Hash; second: Hash }
  | { kind: 'coordinator-equivocation'; taskId: Hash; attempt: number; first: Hash; second: Hash }

export interface CaseRecord {
  caseId: bigint
  accused: Address
  /** challenger or reporter */
  by: Address
  openedAt: number
  reason: CaseReason
}

/** Money that the court holds for an account. */
export interface CreditRecord {
  /** withdrawable now: jury pay, returned bonds */
  creditWei: bigint
  /** reporter's cuts, each released one thaw after its slash */
  cuts: { caseId: bigint; amountWei: bigint; releaseAt: number }[]
}

/** One slash of a node, with the reason. */
export interface SlashRecord {
  node: Address
  caseId: bigint
  /** of the active and the thawing bond */
  bondWei: bigint
  thawingBondWei: bigint
  /** of votes and thawing votes */
  votesWei: bigint
  /** unix seconds */
  at: number
  blockNumber: bigint
  transaction: Hash
  /** in words: what was proven, or which duty was missed */
  reason: string
  /** hashes or evidence to look at */
  evidence: Hex[]
}
