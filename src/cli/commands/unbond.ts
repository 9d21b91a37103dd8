import { z } from 'zod'
import { formatDuration } from '../../config/duration.ts'
import { bondThresholdWei } from '../../domain/node.ts'
import { nothingToDo } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai, formatWhen } from '../format.ts'
import { zAmountOrAll, zSeconds, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const unbond = defineCommand({
  description: `Starts the thaw of bond. It loses its weight at once, stays slashable until the thaw is
over (7 days on public chains), and can then be withdrawn. A coordinator keeps what its
lines and claims need.`,
  examples: [
    { command: 'cuckoo unbond 1000', note: '1,000 CAI of the bond' },
    { command: 'cuckoo unbond all', note: 'the node goes inactive' },
  ],
  args: z.object({ amount: zAmountOrAll.describe('CAI, or all').meta({ placeholder: 'amount|all' }) }),
  options: z.object(txOptions),
  output: zTxReport.extend({
    amountWei: zWei,
    bondWei: zWei,
    thawSeconds: zSeconds,
    releaseAt: zSeconds.describe('about; `cuckoo status` has the exact second'),
  }),
  async run({ args, options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const [account, { thawSeconds }] = await Promise.all([chain.getAccount(signer.address), chain.getParameters()])
    const amountWei = args.amount === 'all' ? account.bondWei : args.amount
    if (account.bondWei === 0n) throw nothingToDo({ what: 'There is no bond to take out', next: 'See `cuckoo status`.' })
    const bondWei = account.bondWei > amountWei ? account.bondWei - amountWei : 0n
    const role = account.node?.role ?? 'none'
    const thaw = formatDuration(thawSeconds)
    if (!options.dryRun && amountWei <= account.bondWei && account.node?.active && role !== 'none' && bondWei <= bondThresholdWei[role]) {
      await context.prompts.confirm(`${formatCai(bondWei)} of bond would remain: the ${role} goes inactive at once, and what leaves thaws for ${thaw}. Go on?`)
    }
    const report = await runTransaction(context, options, (tx) => chain.unbond(signer, { amountWei }, tx))
    return { ...report, amountWei, bondWei, thawSeconds, releaseAt: account.blockTimestamp + thawSeconds }
  },
  view(report, screen) {
    if (!report.dryRun) {
      screen.line(
        `${formatCai(report.amountWei)} of bond thaws until ${formatWhen(report.releaseAt, report.releaseAt - report.thawSeconds)}; ${formatCai(report.bondWei)} remains.`,
      )
    }
    viewTransaction(report, screen)
  },
})
