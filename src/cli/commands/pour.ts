import { z } from 'zod'
import { nothingToDo } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai } from '../format.ts'
import { zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const pour = defineCommand({
  description: `Divides the reward pool, where slashes, penalties and dust gather: one half goes to the
next reward period of the miners, one to that of the coordinators. Anyone may do it; it
costs gas only.`,
  examples: [{ command: 'cuckoo pour', note: '`cuckoo rewards` shows what is in the pool' }],
  args: z.object({}),
  options: z.object(txOptions),
  output: zTxReport.extend({ minersWei: zWei, coordinatorsWei: zWei }),
  async run({ options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const poolWei = await chain.getUndistributed()
    if (poolWei === 0n) throw nothingToDo({ what: 'The reward pool is empty', next: '`cuckoo fund <miner|coordinator> <amount>` gives to a stream directly.' })
    const report = await runTransaction(context, options, (tx) => chain.pour(signer, {}, tx))
    return { ...report, minersWei: poolWei - poolWei / 2n, coordinatorsWei: poolWei / 2n }
  },
  view(report, screen) {
    if (!report.dryRun)
      screen.line(`${formatCai(report.minersWei)} wait for the miners' next period, ${formatCai(report.coordinatorsWei)} for the coordinators'.`)
    viewTransaction(report, screen)
  },
})
