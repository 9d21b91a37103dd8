import type { CaseReason, CaseRecord } from '../../domain/dispute.ts'
import { type Address, fromHex } from '../../domain/hex.ts'
import type { Receipt } from '../../domain/receipt.ts'
import { caseUnknown } from '../../errors/court.ts'
import { readBlock } from '../blocks.ts'
import type { ChainContext } from '../context.ts'
import { type Events, readEvents, readTimestamps } from '../contractEvents.ts'
import { toAddress } from '../toAddress.ts'

/** What case `caseId` is about, from the events that opened it and added to it. @throws CUCKOO_COURT_CASE_UNKNOWN */
export async function getCase(context: ChainContext, caseId: bigint): Promise<CaseRecord> {
  const { number: toBlock } = await readBlock(context, 'latest')
  const args = { caseId }
  const [challenged, added, miners, coordinators] = await Promise.all([
    readEvents(context, 'court', { eventName: 'Challenged', args, toBlock }),
    readEvents(context, 'court', { eventName: 'EvidenceAdded', args, toBlock }),
    readEvents(context, 'court', { eventName: 'MinerReported', args, toBlock }),
    readEvents(context, 'court', { eventName: 'CoordinatorReported', args, toBlock }),
  ])
  const opened = [...challenged, ...miners, ...coordinators]
  const openedAt = [...(await readTimestamps(context, opened)).values()][0] ?? 0
  const toCase = (accused: string, by: string, reason: CaseReason): CaseRecord => ({ caseId, accused: toAddress(accused), by: toAddress(by), openedAt, reason })
  for (const event of challenged) return toCase(event.args.accused, event.args.challenger, toChallenge(event, added))
  for (const { args: report } of miners) {
    const { assignment, first, second } = report
    return toCase(report.miner, report.reporter, { kind: 'miner-equivocation', assignment, first, second })
  }
  for (const { args: report } of coordinators) {
    const { taskId, attempt, first, second } = report
    return toCase(report.coordinator, report.reporter, { kind: 'coordinator-equivocation', taskId, attempt, first, second })
  }
  throw caseUnknown({ caseId })
}

function toChallenge({ args: { receipt, evidence } }: Events<'court', 'Challenged'>[number], added: Events<'court', 'EvidenceAdded'>): CaseReason {
  return {
    kind: 'challenge',
    receipt: toReceipt(receipt),
    evidence: { input: fromHex(evidence.input), params: fromHex(evidence.params), output: fromHex(evidence.output) },
    additions: added.map(({ args }) => ({ from: toAddress(args.from), data: fromHex(args.data) })),
  }
}

function toReceipt({ assignment, assignmentSignature, result, resultSignature }: Events<'court', 'Challenged'>[number]['args']['receipt']): Receipt {
  const parties: { coordinator: Address; miner: Address } = { coordinator: toAddress(assignment.coordinator), miner: toAddress(assignment.miner) }
  return { assignment: { ...assignment, ...parties }, assignmentSignature, result, resultSignature }
}
