import { z } from 'zod'
import { formatAmount } from '../../domain/amount.ts'
import type { Role } from '../../domain/node.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatShare } from '../format.ts'
import { zNode, zRole, zWei } from '../schemas.ts'

export const nodes = defineCommand({
  examples: [
    { command: 'cuckoo nodes', note: 'coordinators and miners' },
    { command: 'cuckoo nodes --role miner --json', note: 'for scripts' },
  ],
  args: z.object({}),
  options: z.object({ role: zRole.optional().describe('only nodes of this role') }),
  output: z.object({ network: z.string(), nodes: z.array(zNode), totalWeightWei: z.object({ miner: zWei, coordinator: zWei }) }),
  async run({ options }, { ports }) {
    const chain = await ports.getChain()
    const roles: Role[] = options.role === undefined ? ['coordinator', 'miner'] : [options.role]
    const [lists, miner, coordinator] = await Promise.all([
      Promise.all(roles.map((role) => chain.getNodes(role))),
      chain.getTotalWeight('miner'),
      chain.getTotalWeight('coordinator'),
    ])
    const found = lists.flatMap((list) => [...list].sort((a, b) => (a.weightWei < b.weightWei ? 1 : a.weightWei > b.weightWei ? -1 : 0)))
    return { network: chain.deployment.network, nodes: found, totalWeightWei: { miner, coordinator } }
  },
  view({ network, nodes: found, totalWeightWei }, screen) {
    if (found.length === 0) return screen.line(`No nodes are registered on '${network}'.`)
    for (const role of ['coordinator', 'miner'] as const) {
      const ofRole = found.filter((node) => node.role === role)
      if (ofRole.length === 0) continue
      screen.table({
        columns: [{ title: `${role}s` }, { title: 'name', shrink: true }, { title: 'weight', align: 'right' }, { title: 'share', align: 'right' }],
        rows: ofRole.map(({ node, profile, weightWei, active }) => [
          node,
          profile?.name ?? '',
          active ? formatAmount(weightWei).replace(/(\.\d{2})\d+/, '$1') : 'inactive',
          active ? formatShare(weightWei, totalWeightWei[role]) : '',
        ]),
      })
      for (const { profile } of role === 'coordinator' ? ofRole : []) screen.line(screen.style('dim', `  ${profile?.name}: ${profile?.url || 'no URL'}`))
      screen.line()
    }
  },
})
