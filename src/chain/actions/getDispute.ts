import { type DisputeRecord, stages, verdicts } from '../../domain/dispute.ts'
import { zeroAddress } from '../../domain/hex.ts'
import { caseUnknown } from '../../errors/court.ts'
import { readLatest } from '../blocks.ts'
import { type ChainContext, readContract } from '../context.ts'
import { readEvents } from '../contractEvents.ts'
import { toAddress } from '../toAddress.ts'

/** Where dispute `caseId` stands at block `blockNumber` or the latest. @throws CUCKOO_COURT_CASE_UNKNOWN also for a report, which is settled at once */
export async function getDispute(context: ChainContext, caseId: bigint, blockNumber?: bigint): Promise<DisputeRecord> {
  const view = await readContract(context, 'court', 'getDispute', [caseId], blockNumber)
  if (view.accused === zeroAddress) throw caseUnknown({ caseId })
  return {
    caseId,
    accused: toAddress(view.accused),
    challenger: toAddress(view.challenger),
    issuedAt: Number(view.issuedAt),
    stage: stages[view.stage] ?? 'none',
    round: view.round,
    baseWei: view.baseWei,
    feeWei: view.feeWei,
    verdict: verdicts[view.verdict] ?? 'none',
  }
}

/** Disputes that are not closed, the newest first. Found by the opening of their first round, which is shorter than the evidence. */
export function listOpenDisputes(context: ChainContext): Promise<DisputeRecord[]> {
  return readLatest(context, async ({ number: toBlock }) => {
    const [opened, closed] = await Promise.all([
      readEvents(context, 'court', { eventName: 'RoundOpened', args: { round: 0 }, toBlock }),
      readEvents(context, 'court', { eventName: 'CaseClosed', toBlock }),
    ])
    const over = new Set(closed.map(({ args }) => args.caseId))
    const open = opened.map(({ args }) => args.caseId).filter((caseId) => !over.has(caseId))
    return Promise.all(open.reverse().map((caseId) => getDispute(context, caseId, toBlock)))
  })
}
