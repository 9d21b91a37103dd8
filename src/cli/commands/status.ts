import { z } from 'zod'
import { bondThresholdWei } from '../../domain/node.ts'
import type { Context } from '../context.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai, formatShare, formatShort, formatWhen } from '../format.ts'
import type { Output } from '../output.ts'
import { getPartyOrOwn } from '../party.ts'
import { zAddress, zBigint, zNode, zParty, zSeconds, zWei } from '../schemas.ts'

const zStatus = z.object({
  account: zAddress,
  network: z.string(),
  walletWei: zWei,
  freeWei: zWei,
  bondWei: zWei,
  votes: z.array(z.object({ node: zAddress, name: z.string().nullable(), active: z.boolean(), shares: zBigint, amountWei: zWei })),
  thaws: z.array(z.object({ id: zBigint, node: zAddress, kind: z.enum(['bond', 'votes']), amountWei: zWei, releaseAt: zSeconds, released: z.boolean() })),
  withdrawableWei: zWei.describe('free and released'),
  node: zNode.nullable(),
  totalWeightWei: zWei.nullable().describe("weight of all active nodes of the own node's role"),
  blockNumber: zBigint,
  blockTimestamp: zSeconds,
})

export const status = defineCommand({
  description: `Shows every bucket of an account: what is outside the contract, free, bonded, voted,
thawing (with the date of its release) and withdrawable; its votes; its node's standing.`,
  examples: [
    { command: 'cuckoo status', note: 'the account in use; needs no password' },
    { command: 'cuckoo status 0x70997970c51812dc3a010c7d01b50e0d17dc79c8', note: "anyone's" },
  ],
  args: z.object({ address: zParty.optional().describe('address, or an account of this machine') }),
  options: z.object({}),
  output: zStatus,
  async run({ args }, context) {
    const address = await getPartyOrOwn(context, args.address)
    const chain = await context.ports.getChain()
    const account = await chain.getAccount(address)
    const role = account.node?.role ?? 'none'
    const [nodes, totalWeightWei] = await Promise.all([
      Promise.all(account.votes.map(({ node }) => chain.getNode(node))),
      role === 'none' ? null : chain.getTotalWeight(role),
    ])
    const thaws = account.thaws.map((thaw) => ({ ...thaw, released: thaw.releaseAt <= account.blockTimestamp }))
    return {
      ...account,
      network: chain.deployment.network,
      votes: account.votes.map((vote, index) => ({ ...vote, name: nodes[index]?.profile?.name ?? null, active: nodes[index]?.active ?? false })),
      thaws,
      withdrawableWei: thaws.reduce((sum, thaw) => sum + (thaw.released ? thaw.amountWei : 0n), account.freeWei),
      totalWeightWei,
    }
  },
  view: viewStatus,
})

type Status = z.output<typeof zStatus>

function viewStatus(value: Status, screen: Output, context: Context<Status>): void {
  const thawingWei = value.thaws.reduce((sum, { released, amountWei }) => sum + (released ? 0n : amountWei), 0n)
  const votesWei = value.votes.reduce((sum, { amountWei }) => sum + amountWei, 0n)
  screen.line(`${screen.style('bold', value.account)} on ${value.network}, block ${value.blockNumber}`)
  screen.line()
  screen.table({
    columns: [{ title: 'bucket' }, { title: 'amount', align: 'right' }, { title: 'what it is' }],
    rows: [
      ['wallet', formatCai(value.walletWei), 'outside the contract'],
      ['free', formatCai(value.freeWei), 'no weight, no risk'],
      ['bond', formatCai(value.bondWei), "the own node's, at risk"],
      ['votes', formatCai(votesWei), 'for nodes, at risk'],
      ['thawing', formatCai(thawingWei), 'on its way out, still at risk'],
      ['withdrawable', formatCai(value.withdrawableWei), 'free and released'],
    ],
  })
  viewVotes(value, screen)
  viewThaws(value, screen, context.nowSeconds())
  viewNode(value, screen)
}

function viewVotes({ votes }: Status, screen: Output): void {
  if (votes.length === 0) return
  screen.line()
  screen.table({
    columns: [{ title: 'votes for' }, { title: 'name', shrink: true }, { title: 'amount', align: 'right' }, { title: 'node' }],
    rows: votes.map(({ node, name, amountWei, active }) => [formatShort(node), name ?? '', formatCai(amountWei), active ? 'active' : 'inactive']),
  })
}

function viewThaws({ thaws, blockTimestamp }: Status, screen: Output, nowSeconds: number): void {
  if (thaws.length === 0) return
  // A devnet's clock may have been moved: what counts is the chain's.
  const now = Math.max(nowSeconds, blockTimestamp)
  screen.line()
  screen.table({
    columns: [{ title: 'thaw' }, { title: 'of' }, { title: 'node' }, { title: 'amount', align: 'right' }, { title: 'released' }],
    rows: thaws.map((thaw) => [
      String(thaw.id),
      thaw.kind,
      formatShort(thaw.node),
      formatCai(thaw.amountWei),
      thaw.released ? `now: \`${screen.program} withdraw\`` : formatWhen(thaw.releaseAt, now),
    ]),
  })
}

function viewNode({ node, totalWeightWei }: Status, screen: Output): void {
  if (node === null || node.role === 'none') return
  const threshold = bondThresholdWei[node.role]
  screen.line()
  screen.line(
    `${node.role} ${screen.style('bold', node.profile?.name ?? '')}, ${node.active ? screen.style('green', 'active') : screen.style('yellow', 'inactive')}`,
  )
  screen.line(`  weight ${formatCai(node.weightWei)}, ${formatShare(node.weightWei, totalWeightWei ?? 0n)} of all active ${node.role}s`)
  screen.line(`  bond ${formatCai(node.bondWei)}, votes ${formatCai(node.votesWei)}, operator ${formatShort(node.operator)}`)
  if (node.bondWei <= threshold) screen.line(`  needs more than ${formatCai(threshold)} of bond: \`${screen.program} bond <amount>\``)
}
