import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { zPercent } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const nodeSetVoterShare = defineCommand({
  description: "Changes the voters' part of the own node's income. A rise counts at once, a drop after\none thaw period.",
  examples: [{ command: 'cuckoo node set-voter-share 60', note: '60 % for voters' }],
  args: z.object({ percent: zPercent.describe('0 to 100') }),
  options: z.object(txOptions),
  output: zTxReport.extend({ voterShareBps: z.int() }),
  async run({ args, options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    return {
      ...(await runTransaction(context, options, (tx) => chain.setVoterShare(signer, { voterShareBps: args.percent }, tx))),
      voterShareBps: args.percent,
    }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`The voters' share is ${report.voterShareBps / 100} %; a drop counts after one thaw period.`)
    viewTransaction(report, screen)
  },
})
