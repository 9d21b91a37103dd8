import { z } from 'zod'
import { formatDuration } from '../../../config/duration.ts'
import { nodeNotRegistered } from '../../../errors/staking.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatCai, formatWhen } from '../../format.ts'
import { zSeconds, zWei } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const nodeDeregister = defineCommand({
  description: `Takes the own node off the list. Its whole bond starts to thaw and stays slashable until
then; voters leave by themselves with \`cuckoo unvote\`.`,
  examples: [{ command: 'cuckoo node deregister', note: 'asks before it does' }],
  args: z.object({}),
  options: z.object(txOptions),
  output: zTxReport.extend({ bondWei: zWei, thawSeconds: zSeconds, releaseAt: zSeconds.describe('about; `cuckoo status` has the exact second') }),
  async run({ options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const [account, { thawSeconds }] = await Promise.all([chain.getAccount(signer.address), chain.getParameters()])
    if (account.node === null || account.node.role === 'none') throw nodeNotRegistered({ node: signer.address })
    if (!options.dryRun)
      await context.prompts.confirm(`Leave as ${account.node.role}; ${formatCai(account.bondWei)} thaw for ${formatDuration(thawSeconds)}. Go on?`)
    const report = await runTransaction(context, options, (tx) => chain.deregister(signer, tx))
    return { ...report, bondWei: account.bondWei, thawSeconds, releaseAt: account.blockTimestamp + thawSeconds }
  },
  view(report, screen) {
    if (!report.dryRun)
      screen.line(`The node has left; ${formatCai(report.bondWei)} thaws until ${formatWhen(report.releaseAt, report.releaseAt - report.thawSeconds)}.`)
    viewTransaction(report, screen)
  },
})
