import { z } from 'zod'
import { nothingToDo } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai } from '../format.ts'
import { getNodeOrOwn } from '../party.ts'
import { zAddress, zParty, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const claim = defineCommand({
  description: `Moves what a node has earned for its owner, from rewards and from tasks, to the owner's
free CAI. The owner or the operator may claim; the money is the owner's either way. What
voters earn needs no claim: it raises the worth of their votes by itself.`,
  examples: [
    { command: 'cuckoo claim', note: "the own node's" },
    { command: 'cuckoo claim --account alice-op', note: 'as its operator' },
  ],
  args: z.object({ node: zParty.optional().describe("the node's address, or an account; default: the own") }),
  options: z.object(txOptions),
  output: zTxReport.extend({ node: zAddress, amountWei: zWei }),
  async run({ args, options }, context) {
    const node = await getNodeOrOwn(context, args.node)
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const { ownerWei } = await chain.getRewards(node)
    if (ownerWei === 0n) throw nothingToDo({ what: `The node ${node} has nothing to claim`, next: '`cuckoo rewards` shows what it earns, and when.' })
    const report = await runTransaction(context, options, (tx) => chain.claim(signer, { node }, tx))
    return { ...report, node, amountWei: ownerWei }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Claimed ${formatCai(report.amountWei)}: free now, for ${report.node}.`)
    viewTransaction(report, screen)
  },
})
