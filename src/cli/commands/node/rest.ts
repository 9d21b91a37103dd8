import { z } from 'zod'
import { nothingToDo } from '../../../errors/cli.ts'
import { nodeNotRegistered } from '../../../errors/staking.ts'
import { defineCommand } from '../../defineCommand.ts'
import { getNodeOrOwn } from '../../party.ts'
import { zAddress, zParty } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const nodeRest = defineCommand({
  description: `Makes a node inactive at once, until \`cuckoo node rejoin\`: no tasks, no rewards, and no
jury duty in rounds whose epoch begins after it. Bond and votes stay where they are.
Rest before a miner goes offline: silent jurors are fined. For owner and operator.`,
  examples: [
    { command: 'cuckoo node rest', note: 'the own node' },
    { command: 'cuckoo node rest --account alice-op', note: 'as its operator' },
  ],
  args: z.object({ node: zParty.optional().describe("the node's address, or an account; default: the own") }),
  options: z.object(txOptions),
  output: zTxReport.extend({ node: zAddress }),
  async run({ args, options }, context) {
    const node = await getNodeOrOwn(context, args.node)
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const record = await chain.getNode(node)
    if (record.role === 'none') throw nodeNotRegistered({ node })
    if (record.away) throw nothingToDo({ what: `The node ${node} is away already`, next: '`cuckoo node rejoin` brings it back.' })
    return { ...(await runTransaction(context, options, (tx) => chain.rest(signer, { node }, tx))), node }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`${report.node} rests, inactive until \`${screen.program} node rejoin\`.`)
    viewTransaction(report, screen)
  },
})
