import { z } from 'zod'
import { type Receipt, toAssignmentDigest } from '../../../domain/receipt.ts'
import { reportUnfit } from '../../../errors/jury.ts'
import { assertInTime, assertReceiptSigned, getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { loadBareReceipt, receiptOptions } from '../../receipts.ts'
import { viewReport, zReportOutput } from '../../report.ts'
import { runTransaction, txOptions } from '../../transactions.ts'

export const reportMiner = defineCommand({
  description: `Reports a miner that signed two different results for one assignment. The contract settles
it at once, without a jury: the miner loses half of its bond, and a quarter of that is
the reporter's, one thaw later. Only hashes go onto the chain, no prompt.`,
  examples: [{ command: 'cuckoo report miner first.json second.json', note: 'two receipts' }],
  args: z.object({
    first: z.string().describe('file of a receipt, or id of a task'),
    second: z.string().describe('another receipt of the same assignment'),
  }),
  options: z.object({ ...txOptions, ...receiptOptions }),
  output: zReportOutput,
  async run({ args, options }, context) {
    const first = (await loadBareReceipt(context, args.first, options)).receipt
    const second = (await loadBareReceipt(context, args.second, options)).receipt
    const chain = await context.ports.getChain()
    const clock = await getCourtClock(chain)
    assertTwoResults(first, second, chain.domainSeparator)
    assertInTime(args.first, Number(first.assignment.issuedAt), clock)
    await assertReceiptSigned(context, chain, clock, args.first, first)
    await assertReceiptSigned(context, chain, clock, args.second, second)
    const signer = await context.ports.getSigner(options)
    const report = await runTransaction(context, options, (tx) => chain.reportMiner(signer, { first, second }, tx))
    return { ...report, accused: first.assignment.miner, task: first.assignment.taskId, attempt: first.assignment.attempt }
  },
  view: viewReport,
})

function assertTwoResults(first: Receipt, second: Receipt, domainSeparator: Uint8Array): void {
  const what = 'a miner signed two results for one assignment'
  if (toAssignmentDigest(domainSeparator, first.assignment) !== toAssignmentDigest(domainSeparator, second.assignment)) {
    throw reportUnfit({ what, problem: 'they are of two assignments' })
  }
  // Units and finish reason may differ: only another output is another result to the contract.
  if (first.result.outputHash === second.result.outputHash) throw reportUnfit({ what, problem: `both have the output ${first.result.outputHash}` })
}
