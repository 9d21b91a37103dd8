import { z } from 'zod'
import { nodeNotRegistered } from '../../../errors/staking.ts'
import { defineCommand } from '../../defineCommand.ts'
import { profileOptions } from '../../register.ts'
import { zProfile } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const nodeSetProfile = defineCommand({
  description: 'Changes what people see of the own node. What is not given stays as it is.',
  examples: [{ command: 'cuckoo node set-profile --url https://new.example', note: 'where it is found from now on' }],
  args: z.object({}),
  options: z.object({
    name: profileOptions.name.optional(),
    url: profileOptions.url.optional(),
    description: profileOptions.description.optional(),
    ...txOptions,
  }),
  output: zTxReport.extend({ profile: zProfile }),
  async run({ options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const node = await chain.getNode(signer.address)
    if (node.role === 'none') throw nodeNotRegistered({ node: signer.address })
    const profile = {
      name: options.name ?? node.profile?.name ?? '',
      url: options.url ?? node.profile?.url ?? '',
      description: options.description ?? node.profile?.description ?? '',
    }
    return { ...(await runTransaction(context, options, (tx) => chain.setProfile(signer, { profile }, tx))), profile }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`The profile is now: ${report.profile.name} ${report.profile.url}`.trimEnd())
    viewTransaction(report, screen)
  },
})
