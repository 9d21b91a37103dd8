import { z } from 'zod'
import { bondThresholdWei } from '../../../domain/node.ts'
import { nothingToDo } from '../../../errors/cli.ts'
import { nodeNotRegistered } from '../../../errors/staking.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatCai, formatWhen } from '../../format.ts'
import { getNodeOrOwn } from '../../party.ts'
import { zAddress, zParty } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const nodeRejoin = defineCommand({
  description: `Brings a node back that rests, or whose jail is over. It is active again if its bond is
enough. For owner and operator.`,
  examples: [
    { command: 'cuckoo node rejoin', note: 'the own node' },
    { command: 'cuckoo node rejoin --account alice-op', note: 'as its operator' },
  ],
  args: z.object({ node: zParty.optional().describe("the node's address, or an account; default: the own") }),
  options: z.object(txOptions),
  output: zTxReport.extend({ node: zAddress, active: z.boolean() }),
  async run({ args, options }, context) {
    const node = await getNodeOrOwn(context, args.node)
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const [record, { latest }] = await Promise.all([chain.getNode(node), chain.getBlocks()])
    if (record.role === 'none') throw nodeNotRegistered({ node })
    if (!record.away) throw nothingToDo({ what: `The node ${node} is not away`, next: '`cuckoo node show` says how it stands.' })
    if (record.suspended) throw nothingToDo({ what: `The node ${node} is suspended`, next: '`cuckoo coordinator serve` reveals the draw secret that it owes.' })
    if (record.jailedUntil > latest.timestamp) {
      throw nothingToDo({ what: `The node ${node} is jailed until ${formatWhen(record.jailedUntil, latest.timestamp)}`, next: 'It can rejoin from then on.' })
    }
    const report = await runTransaction(context, options, (tx) => chain.rejoin(signer, { node }, tx))
    const thresholdWei = bondThresholdWei[record.role]
    if (record.bondWei <= thresholdWei) context.output.warn(`the bond is not above ${formatCai(thresholdWei)}: the ${record.role} stays inactive`)
    return { ...report, node, active: record.bondWei > thresholdWei }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`${report.node} is back${report.active ? ' and active' : ', and stays inactive until its bond is enough'}.`)
    viewTransaction(report, screen)
  },
})
