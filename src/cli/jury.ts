import { z } from 'zod'
import type { Chain } from '../domain/chainPort.ts'
import { type DisputeRecord, type RoundRecord, type SeatRecord, type Stage, stages, verdicts } from '../domain/dispute.ts'
import type { Address } from '../domain/hex.ts'
import { accountAmbiguous, accountMissing } from '../errors/account.ts'
import { parameterInvalid } from '../errors/court.ts'
import { isError } from '../errors/cuckooError.ts'
import { nodeMissing, stageUnfit } from '../errors/jury.ts'
import type { Context } from './context.ts'
import { formatWhen } from './format.ts'
import { getParty } from './party.ts'
import { zAddress, zBigint, zHash, zSeconds, zWei } from './schemas.ts'

export const zVote = z.enum(['valid', 'invalid', 'cannot-judge'])
export const zSide = z.enum(['valid', 'invalid'])

/** The number of a case, as a person types it. */
export const zCaseId = z
  .string()
  .regex(/^[1-9]\d{0,17}$/, 'is not the number of a case')
  .transform(BigInt)
export const caseArgs = { case: zCaseId.describe('number of the case: `cuckoo jury status` lists them') }

/** A dispute, its rounds and a node's seats as commands print them. */
export const zDispute = z.object({
  caseId: zBigint,
  accused: zAddress,
  challenger: zAddress,
  issuedAt: zSeconds.describe('of the assignment, unix seconds'),
  stage: z.enum(stages),
  round: z.int().describe('0 is the first'),
  baseWei: zWei.describe("what the slash's percentage is of"),
  feeWei: zWei.describe('per seat of the first round'),
  verdict: z.enum(verdicts),
})
export const zRound = z.object({
  round: z.int(),
  seats: z.int(),
  referenceEpoch: zBigint,
  eligibleWei: zWei,
  randomnessRound: zBigint,
  seed: zHash.nullable(),
  commitEndsAt: zSeconds.nullable(),
  revealEndsAt: zSeconds.nullable(),
  appealEndsAt: zSeconds.nullable(),
  validSeats: z.int(),
  invalidSeats: z.int(),
  cannotJudgeSeats: z.int(),
  verdict: z.enum(verdicts),
  payer: zAddress,
  side: zSide,
  potWei: zWei,
})
export const zSeat = z.object({
  caseId: zBigint,
  round: z.int(),
  node: zAddress,
  seats: z.int(),
  pinned: z.boolean(),
  commitment: zHash.nullable(),
  vote: zVote.nullable(),
  fined: z.boolean(),
  paid: z.boolean(),
})

export const zDuty = z.object({
  text: z.string().describe('in words'),
  command: z.string().nullable().describe('without the name of the program'),
  until: zSeconds.nullable(),
  own: z.boolean().describe('the own node loses money when it is not done'),
})
/** What is to be done in a case, by whom, until when. */
export type Duty = z.output<typeof zDuty>

/** The open disputes with a node's part in each. */
export const zOverview = z.object({
  node: zAddress.nullable(),
  nowAt: zSeconds.describe("the chain's time"),
  disputes: z.array(z.object({ dispute: zDispute, current: zRound, seat: zSeat.nullable(), duty: zDuty })),
})

/** A case as it stands, with the round that runs. */
export interface LoadedCase {
  dispute: DisputeRecord
  rounds: RoundRecord[]
  round: RoundRecord
}

/** @throws CUCKOO_COURT_CASE_UNKNOWN */
export async function loadCase(chain: Chain, caseId: bigint): Promise<LoadedCase> {
  const [dispute, rounds] = await Promise.all([chain.getDispute(caseId), chain.getRounds(caseId)])
  return { dispute, rounds, round: rounds[dispute.round] as RoundRecord }
}

/**
 * The node that `account` acts for in court: the one whose operator it is, else the one that it owns.
 * @throws CUCKOO_JURY_NODE_MISSING
 */
export async function getActingNode(chain: Chain, account: Address): Promise<Address> {
  const node = await findActingNode(chain, account)
  if (node === undefined) throw nodeMissing({ account })
  return node
}

export async function findActingNode(chain: Chain, account: Address): Promise<Address | undefined> {
  const [own, operated] = await Promise.all([chain.getNode(account), chain.findOperator(account)])
  if (own.role !== 'none') return account
  // A replaced key signs nothing new: it acts for nobody.
  return operated !== null && (await chain.getNode(operated.node)).operator === account ? operated.node : undefined
}

/** The node that was named, else the own one; undefined where no account, or more than one, could be meant, or it is no node. */
export async function findViewedNode(context: Context<never>, chain: Chain, named: string | undefined): Promise<Address | undefined> {
  if (named !== undefined) return getParty(context, named)
  try {
    return await findActingNode(chain, (await context.ports.getOwn()).address)
  } catch (error) {
    if (isError(error, accountMissing) || isError(error, accountAmbiguous)) return undefined
    throw error
  }
}

/** A node's seats in a round; undefined before its seed is known, and where the bond that decides them can no longer be read. */
export async function findSeat(chain: Chain, caseId: bigint, { round, seed }: RoundRecord, node: Address): Promise<SeatRecord | undefined> {
  if (seed === null) return undefined
  try {
    return await chain.getSeat(caseId, round, node)
  } catch (error) {
    if (isError(error, parameterInvalid)) return undefined
    throw error
  }
}

/** When the stage that a case is in ends, unix seconds; null: by somebody's transaction, not by the clock. */
export function findStageEnd({ stage }: DisputeRecord, round: RoundRecord): number | null {
  if (stage === 'committing') return round.commitEndsAt
  if (stage === 'revealing') return round.revealEndsAt
  return stage === 'appealing' ? round.appealEndsAt : null
}

const stageTexts: Record<Stage, string> = {
  none: 'unknown',
  sealing: 'waiting for its seed',
  committing: 'taking commitments',
  revealing: 'taking reveals',
  due: 'waiting to be concluded',
  appealing: 'open for appeals',
  closed: 'closed',
}

/** A case's stage in words, with its end. @example formatStage(dispute, round, now) // 'taking reveals until 2026-08-01 14:03 (in 20 min)' */
export function formatStage(dispute: DisputeRecord, round: RoundRecord, nowAt: number): string {
  const end = findStageEnd(dispute, round)
  return `${stageTexts[dispute.stage]}${end === null ? '' : ` until ${formatWhen(end, nowAt)}`}`
}

/**
 * Checks that a case is in the stage that `action` belongs to.
 * @throws CUCKOO_JURY_STAGE_UNFIT saying when it is possible and what is next
 */
export function assertStage({ dispute, round }: LoadedCase, stage: Stage, action: string, nowAt: number): void {
  if (dispute.stage === stage) return
  const start = findStart(stage, dispute.stage, round)
  const isPast = dispute.stage === 'closed' || stages.indexOf(stage) < stages.indexOf(dispute.stage)
  const when = start !== null ? `from ${formatWhen(start, nowAt)} on` : isPast ? 'no longer' : 'later'
  throw stageUnfit({ caseId: dispute.caseId, stage: formatStage(dispute, round, nowAt), action, when, next: describeNext(dispute) })
}

/** When `wanted` begins by the clock alone, unix seconds; null: it is over, or waits for somebody's transaction. */
function findStart(wanted: Stage, now: Stage, round: RoundRecord): number | null {
  if (wanted === 'revealing' && now === 'committing') return round.commitEndsAt
  if (wanted !== 'due') return null
  if (now === 'appealing') return round.appealEndsAt
  return now === 'committing' || now === 'revealing' ? round.revealEndsAt : null
}

/** What anybody can do next with a case. */
function describeNext({ caseId, stage }: DisputeRecord): string {
  if (stage === 'closed') return `\`cuckoo jury collect\` and \`cuckoo jury fine ${caseId}\` settle what is left.`
  if (stage === 'due') return `Carry it on with \`cuckoo jury conclude ${caseId}\`.`
  if (stage === 'sealing') return `Fetch its seed with \`cuckoo jury seal ${caseId}\`.`
  return `\`cuckoo jury status ${caseId}\` shows every date.`
}

/** The next thing to do in a case for who holds `seat` (undefined: anybody). */
export function toDuty({ dispute, round }: LoadedCase, seat: SeatRecord | undefined): Duty {
  const { caseId, stage } = dispute
  const until = findStageEnd(dispute, round)
  const to = (text: string, command: string | null, own = false): Duty => ({ text, command, until, own })
  if (stage === 'sealing') return to('fetch its seed', `jury seal ${caseId}`)
  if (stage === 'due') return to('carry it on', `jury conclude ${caseId}`)
  if (stage === 'appealing') return to('appeal, if the verdict is wrong', `appeal ${caseId} ${dispute.verdict === 'invalid' ? 'valid' : 'invalid'}`)
  if (seat === undefined || seat.seats === 0 || stage === 'closed' || stage === 'none') return to('nothing', null)
  if (stage === 'committing') {
    return seat.commitment === null ? to('judge and commit', `jury commit ${caseId} <vote>`, true) : to('wait: reveal when this window is over', null)
  }
  if (seat.vote !== null) return to('nothing: the vote is revealed', null)
  return seat.commitment === null ? to('too late: no vote was committed', null) : to('reveal the vote', `jury reveal ${caseId}`, true)
}
