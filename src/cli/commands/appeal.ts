import { z } from 'zod'
import { sideStands } from '../../errors/jury.ts'
import { getCourtClock } from '../courtChecks.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai, formatWhen } from '../format.ts'
import { assertStage, caseArgs, loadCase, zSide } from '../jury.ts'
import { zBigint, zSeconds, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const appeal = defineCommand({
  description: `Appeals against the verdict that stands: a larger jury decides again. Anybody may, for the
side that does not stand, with a bond of twice the fee per seat. It asks before it sends.`,
  examples: [
    { command: 'cuckoo appeal 3 valid', note: 'the output is the right one' },
    { command: 'cuckoo appeal 3 invalid --dry-run', note: 'what it would cost' },
  ],
  args: z.object({ ...caseArgs, side: zSide.describe('what the next jury should find') }),
  options: z.object(txOptions),
  output: zTxReport.extend({ caseId: zBigint, side: zSide, bondWei: zWei, nextRound: z.int(), seats: z.int(), appealEndsAt: zSeconds.nullable() }),
  async run({ args, options }, context) {
    const { case: caseId, side } = args
    const chain = await context.ports.getChain()
    const [loaded, { nowAt }] = await Promise.all([loadCase(chain, caseId), getCourtClock(chain)])
    assertStage(loaded, 'appealing', 'an appeal', nowAt)
    const { round, dispute } = loaded
    if (dispute.verdict === side) throw sideStands({ caseId, side })
    const [bondWei, parameters] = await Promise.all([chain.getAppealBond(caseId), chain.getParameters()])
    const nextRound = dispute.round + 1
    const seats = parameters.seats[nextRound] as number
    const { appealEndsAt } = round
    if (appealEndsAt !== null) context.output.note(`The verdict is ${dispute.verdict}. Appeals are taken until ${formatWhen(appealEndsAt, nowAt)}.`)
    context.output.note(
      `The bond is ${formatCai(bondWei)} for ${seats} seats. If the case ends ${side}, it comes back. If it ends otherwise, it is lost: it pays the jurors. Undecided, what jurors have not earned of it comes back.`,
    )
    const signer = await context.ports.getSigner(options)
    if (!options.dryRun) await context.prompts.confirm(`Appeal for ${side} with ${formatCai(bondWei)}?`)
    const report = await runTransaction(context, options, (tx) => chain.appeal(signer, { caseId, side, bondWei }, tx))
    return { ...report, caseId, side, bondWei, nextRound, seats, appealEndsAt }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Appealed case ${report.caseId} for ${report.side}: round ${report.nextRound + 1}, ${report.seats} seats.`)
    viewTransaction(report, screen)
  },
})
