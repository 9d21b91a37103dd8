import { z } from 'zod'
import { stages, verdicts } from '../../../domain/dispute.ts'
import { getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { assertStage, caseArgs, formatStage, loadCase } from '../../jury.ts'
import { zBigint, zSeconds } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const juryConclude = defineCommand({
  description: `Carries a case on whose window is over: counts the votes, opens the next round where too
few voted, or closes it. Anybody may.`,
  examples: [{ command: 'cuckoo jury conclude 3', note: 'after the reveals, and after the appeals' }],
  args: z.object(caseArgs),
  options: z.object(txOptions),
  output: zTxReport.extend({
    caseId: zBigint,
    stage: z.enum(stages).nullable().describe('where it stands after that; null on a dry run'),
    verdict: z.enum(verdicts).nullable(),
    text: z.string().nullable(),
    nowAt: zSeconds,
  }),
  async run({ args, options }, context) {
    const caseId = args.case
    const chain = await context.ports.getChain()
    const [loaded, { nowAt }] = await Promise.all([loadCase(chain, caseId), getCourtClock(chain)])
    assertStage(loaded, 'due', 'concluding', nowAt)
    const signer = await context.ports.getSigner(options)
    const report = await runTransaction(context, options, (tx) => chain.concludeRound(signer, { caseId }, tx))
    if (report.dryRun) return { ...report, caseId, stage: null, verdict: null, text: null, nowAt }
    const { dispute, round } = await loadCase(chain, caseId)
    return { ...report, caseId, stage: dispute.stage, verdict: dispute.verdict, text: formatStage(dispute, round, nowAt), nowAt }
  },
  view(report, screen) {
    const verdict = report.verdict === null || report.verdict === 'none' ? '' : `, verdict ${report.verdict}`
    if (!report.dryRun) screen.line(`Case ${report.caseId} is ${report.text}${verdict}.`)
    viewTransaction(report, screen)
  },
})
