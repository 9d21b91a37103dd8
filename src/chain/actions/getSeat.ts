import { type SeatRecord, type Vote, voteNumbers } from '../../domain/dispute.ts'
import { type Address, zeroHash } from '../../domain/hex.ts'
import { type ChainContext, readContract } from '../context.ts'

const votes = (Object.keys(voteNumbers) as (keyof typeof voteNumbers)[]).map((name): Vote | null => (name === 'none' ? null : name))

/**
 * How many seats `node` holds in a round, and what it did with them.
 * @throws CUCKOO_COURT_CASE_UNKNOWN
 * @throws CUCKOO_COURT_PARAMETER_INVALID when they were never written down and the round's bonds are forgotten
 */
export async function getSeat(context: ChainContext, caseId: bigint, round: number, node: Address): Promise<SeatRecord> {
  const view = await readContract(context, 'court', 'getSeat', [caseId, round, node])
  return {
    caseId,
    round,
    node,
    seats: Number(view.seats),
    pinned: view.pinned,
    commitment: view.commitment === zeroHash ? null : view.commitment,
    vote: votes[view.vote] ?? null,
    fined: view.fined,
    paid: view.paid,
  }
}
