import { type RoundRecord, verdicts, voteNumbers } from '../../domain/dispute.ts'
import { zeroHash } from '../../domain/hex.ts'
import { readLatest } from '../blocks.ts'
import { type ChainContext, readContract } from '../context.ts'
import { toAddress } from '../toAddress.ts'
import { getDispute } from './getDispute.ts'

/** All rounds of dispute `caseId` so far, at one block. @throws CUCKOO_COURT_CASE_UNKNOWN */
export function getRounds(context: ChainContext, caseId: bigint): Promise<RoundRecord[]> {
  return readLatest(context, async ({ number }) => {
    const { round: last } = await getDispute(context, caseId, number)
    return Promise.all(Array.from({ length: last + 1 }, (_, round) => readRound(context, caseId, round, number)))
  })
}

async function readRound(context: ChainContext, caseId: bigint, round: number, blockNumber: bigint): Promise<RoundRecord> {
  const [view, seats] = await Promise.all([
    readContract(context, 'court', 'getRound', [caseId, round], blockNumber),
    readContract(context, 'court', 'seats', [round], blockNumber),
  ])
  return {
    round,
    seats: Number(seats),
    referenceEpoch: view.referenceEpoch,
    eligibleWei: view.eligibleWei,
    randomnessRound: view.randomnessRound,
    seed: view.seed === zeroHash ? null : view.seed,
    commitEndsAt: toTime(view.commitEndsAt),
    revealEndsAt: toTime(view.revealEndsAt),
    appealEndsAt: toTime(view.appealEndsAt),
    validSeats: Number(view.validSeats),
    invalidSeats: Number(view.invalidSeats),
    cannotJudgeSeats: Number(view.cannotJudgeSeats),
    verdict: verdicts[view.verdict] ?? 'none',
    payer: toAddress(view.payer),
    side: view.side === voteNumbers.valid ? 'valid' : 'invalid',
    potWei: view.potWei,
  }
}

function toTime(seconds: bigint): number | null {
  return seconds === 0n ? null : Number(seconds)
}
