import { z } from 'zod'
import type { NodeRecord, Role } from '../../domain/node.ts'
import { nodeNotRegistered } from '../../errors/staking.ts'
import type { Context } from '../context.ts'
import { defineCommand } from '../defineCommand.ts'
import { viewEarnings, zEarning } from '../earnings.ts'
import { formatBps, formatCai, formatCaiShort, formatEstimate, formatShare, formatShort, formatWhen } from '../format.ts'
import type { Output } from '../output.ts'
import { getNodeOrOwn } from '../party.ts'
import { zAddress, zParty, zRole, zSeconds, zWei } from '../schemas.ts'
import { describeAssumption, toOwnerYield, toRunningRate, toVotersYield, zYield } from '../yields.ts'

const zRewards = z.object({
  node: zAddress,
  name: z.string().nullable(),
  role: zRole.nullable().describe('null: it has left'),
  active: z.boolean(),
  claimableWei: zWei.describe('what `cuckoo claim` moves to free now'),
  drip: z.object({ waitingWei: zWei, endsAt: zSeconds }).describe("voters' task income that is not yet in their votes"),
  voterShareBps: z.int(),
  weightWei: zWei,
  stream: z
    .object({ rateWei: zWei.describe('per second to the whole role, now'), endsAt: zSeconds, nextWei: zWei, weightWei: zWei })
    .nullable()
    .describe("rewards of the node's role"),
  poolWei: zWei.describe('what `cuckoo pour` divides'),
  yields: z.object({ owner: zYield, voters: zYield, assumption: z.string() }).nullable(),
  earnings: z.array(zEarning).describe('per bond epoch, oldest first'),
  blockTimestamp: zSeconds,
})
type Rewards = z.output<typeof zRewards>

export const rewards = defineCommand({
  description: `Shows what a node earns: what its owner can claim, what still drips to its voters, the
stream of its role, what each epoch brought, and the yearly yield at today's rate.`,
  examples: [
    { command: 'cuckoo rewards', note: 'the own node, as owner or operator' },
    { command: 'cuckoo rewards 0x70997970c51812dc3a010c7d01b50e0d17dc79c8', note: "anyone's" },
  ],
  args: z.object({ node: zParty.optional().describe("the node's address, or an account; default: the own") }),
  options: z.object({}),
  output: zRewards,
  async run({ args }, context) {
    const node = await getNodeOrOwn(context, args.node)
    const chain = await context.ports.getChain()
    const [record, { ownerWei, drip }, earnings, poolWei, { latest }] = await Promise.all([
      chain.getNode(node),
      chain.getRewards(node),
      chain.getEarnings(node),
      chain.getUndistributed(),
      chain.getBlocks(),
    ])
    const role = record.role === 'none' ? null : record.role
    if (role === null && ownerWei === 0n && earnings.length === 0) throw nodeNotRegistered({ node })
    return {
      ...record,
      name: record.profile?.name ?? null,
      role,
      claimableWei: ownerWei,
      drip,
      ...(role === null ? { stream: null, yields: null } : await getStreamAndYields(context, record, role, latest.timestamp)),
      poolWei,
      earnings,
      blockTimestamp: latest.timestamp,
    }
  },
  view: viewRewards,
})

async function getStreamAndYields({ ports }: Pick<Context, 'ports'>, record: NodeRecord, role: Role, now: number): Promise<Pick<Rewards, 'stream' | 'yields'>> {
  const stream = await (await ports.getChain()).getStream(role)
  const yields = { owner: toOwnerYield(record, stream, now), voters: toVotersYield(record, stream, now), assumption: describeAssumption(role, stream, now) }
  return { stream: { ...stream, rateWei: toRunningRate(stream, now) }, yields }
}

function viewRewards(value: Rewards, screen: Output): void {
  const { role, stream, yields, drip, blockTimestamp: now } = value
  screen.line(
    `${screen.style('bold', value.name ?? formatShort(value.node))}: ${role ?? 'no node any more'}${role === null || value.active ? '' : ', inactive'}`,
  )
  const rows: [string, string][] = [['claimable', `${formatCai(value.claimableWei)}${value.claimableWei === 0n ? '' : `: \`${screen.program} claim\``}`]]
  if (drip.waitingWei > 0n) rows.push(['drip', `${formatCai(drip.waitingWei)} to its voters until ${formatWhen(drip.endsAt, now)}`])
  if (stream !== null) rows.push(...toStreamRows(value, stream, now))
  rows.push(['pool', `${formatCai(value.poolWei)} of slashes and penalties${value.poolWei === 0n ? '' : `: \`${screen.program} pour\``}`])
  if (yields !== null) {
    rows.push(['owner', `${formatEstimate(yields.owner.yearlyWei)} a year, ${formatBps(yields.owner.bps)} of the bond`])
    rows.push([
      'voters',
      `${formatEstimate(yields.voters.yearlyWei)} a year, ${formatBps(yields.voters.bps)} of the votes (their share: ${formatBps(value.voterShareBps)})`,
    ])
  }
  for (const [name, text] of rows) screen.line(`  ${name.padEnd(10)} ${text}`)
  if (yields !== null) screen.line(screen.style('dim', yields.assumption))
  screen.line()
  if (value.earnings.length === 0) screen.line('Nothing earned so far.')
  else viewEarnings(value.earnings, 12, screen)
  const settledWei = value.earnings.reduce((sum, earning) => sum + earning.ownerRewardsWei + earning.ownerIncomeWei - earning.claimedWei, 0n)
  const sinceWei = value.claimableWei - settledWei
  if (sinceWei > 0n && value.earnings.length > 0) {
    screen.line(screen.style('dim', `${formatCaiShort(sinceWei)} of what is claimable is newer than that: the next transaction of the node settles it`))
  }
}

function toStreamRows({ weightWei, role }: Rewards, stream: NonNullable<Rewards['stream']>, now: number): [string, string][] {
  const waits: [string, string][] = stream.nextWei === 0n ? [] : [['', `${formatCai(stream.nextWei)} wait for the period after it`]]
  if (stream.rateWei === 0n) return [['stream', `nothing flows to the ${role}s now`], ...waits]
  return [
    ['stream', `${formatEstimate(stream.rateWei * 86_400n)} a day to all ${role}s until ${formatWhen(stream.endsAt, now)}`],
    ...waits,
    ['its part', `${formatShare(weightWei, stream.weightWei)}, by weight`],
  ]
}
