import { z } from 'zod'
import type { SignedAssignment } from '../../../domain/receipt.ts'
import { reportUnfit } from '../../../errors/jury.ts'
import { assertAssignmentSigned, assertInTime, getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { loadSignedAssignment, receiptOptions } from '../../receipts.ts'
import { viewReport, zReportOutput } from '../../report.ts'
import { runTransaction, txOptions } from '../../transactions.ts'

export const reportCoordinator = defineCommand({
  description: `Reports a coordinator that signed two assignments of one task attempt to different miners.
The contract settles it at once, without a jury: the coordinator loses 5 % of its bond,
and a quarter of that is the reporter's, one thaw later. No prompt goes onto the chain.`,
  examples: [{ command: 'cuckoo report coordinator first.json second.json', note: 'receipts, or signed assignments' }],
  args: z.object({
    first: z.string().describe('file of a receipt or of a signed assignment'),
    second: z.string().describe('one of the same task attempt, to another miner'),
  }),
  options: z.object({ ...txOptions, ...receiptOptions }),
  output: zReportOutput,
  async run({ args, options }, context) {
    const first = await loadSignedAssignment(context, args.first, options)
    const second = await loadSignedAssignment(context, args.second, options)
    const chain = await context.ports.getChain()
    const clock = await getCourtClock(chain)
    assertTwoAssignments(first, second)
    // The clock of both runs from the later one.
    const [later, named] = second.assignment.issuedAt > first.assignment.issuedAt ? [second.assignment, args.second] : [first.assignment, args.first]
    assertInTime(named, Number(later.issuedAt), clock)
    await assertAssignmentSigned(context, chain, clock, args.first, first)
    await assertAssignmentSigned(context, chain, clock, args.second, second)
    const signer = await context.ports.getSigner(options)
    const report = await runTransaction(context, options, (tx) => chain.reportCoordinator(signer, { first, second }, tx))
    return { ...report, accused: first.assignment.coordinator, task: first.assignment.taskId, attempt: first.assignment.attempt }
  },
  view: viewReport,
})

function assertTwoAssignments({ assignment: first }: SignedAssignment, { assignment: second }: SignedAssignment): void {
  const what = 'a coordinator gave one task attempt to two miners'
  const problem =
    first.coordinator !== second.coordinator
      ? 'they are of two coordinators'
      : first.taskId !== second.taskId
        ? 'they are of two tasks'
        : first.attempt !== second.attempt
          ? `they are of two attempts, ${first.attempt} and ${second.attempt}`
          : first.miner === second.miner
            ? `both are to the miner ${first.miner}`
            : null
  if (problem !== null) throw reportUnfit({ what, problem })
}
