import { z } from 'zod'
import { maxVotesPerBond } from '../../../domain/node.ts'
import { nodeNotRegistered } from '../../../errors/staking.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatCai, formatShare, formatTime } from '../../format.ts'
import { getPartyOrOwn } from '../../party.ts'
import { zAddress, zNode, zParty, zSeconds, zWei } from '../../schemas.ts'
import { describeStanding } from '../../standing.ts'

export const nodeShow = defineCommand({
  examples: [
    { command: 'cuckoo node show', note: 'the own node' },
    { command: 'cuckoo node show 0x70997970c51812dc3a010c7d01b50e0d17dc79c8', note: "anyone's" },
  ],
  args: z.object({ node: zParty.optional().describe("the node's address, or an account; default: the own") }),
  options: z.object({}),
  output: zNode.extend({
    totalWeightWei: zWei,
    operators: z.array(zAddress).describe('every key that ever signed for it, the current one first'),
    blockTimestamp: zSeconds,
  }),
  async run({ args }, context) {
    const node = await getPartyOrOwn(context, args.node)
    const chain = await context.ports.getChain()
    const record = await chain.getNode(node)
    if (record.role === 'none') throw nodeNotRegistered({ node })
    const [totalWeightWei, operators, { latest }] = await Promise.all([chain.getTotalWeight(record.role), chain.getOperators(node), chain.getBlocks()])
    return { ...record, totalWeightWei, operators, blockTimestamp: latest.timestamp }
  },
  view(node, screen) {
    screen.line(
      `${screen.style('bold', node.profile?.name ?? '(no name)')}: ${node.role}, ${node.active ? screen.style('green', 'active') : screen.style('yellow', 'inactive')}`,
    )
    const rows = [
      ['node', node.node],
      ['operator', node.operator],
      ['url', node.profile?.url || '-'],
      ['description', node.profile?.description || '-'],
      ['bond', formatCai(node.bondWei)],
      ['votes', `${formatCai(node.votesWei)} (at most ${formatCai(node.bondWei * maxVotesPerBond)} count)`],
      ['weight', `${formatCai(node.weightWei)}, ${formatShare(node.weightWei, node.totalWeightWei)} of all active ${node.role}s`],
      ['thawing', `${formatCai(node.thawingBondWei)} of bond, ${formatCai(node.thawingVotesWei)} of votes`],
      ['rewards', `${formatCai(node.rewardsWei)}, for the owner to claim`],
      ['voter share', `${node.voterShareBps / 100} % of the income`],
      ['registered', formatTime(node.registeredAt)],
    ]
    for (const [name, value] of rows) screen.line(`  ${(name as string).padEnd(12)} ${value}`)
    for (const line of describeStanding(node, node.blockTimestamp, screen.program)) screen.line(`  ${line}`)
  },
})
