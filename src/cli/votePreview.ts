import { z } from 'zod'
import { formatDuration } from '../config/duration.ts'
import type { Chain } from '../domain/chainPort.ts'
import type { NodeRecord, Role } from '../domain/node.ts'
import { formatBps, formatCai, formatCaiShort, formatEstimate, formatTime, formatWhen } from './format.ts'
import type { Output } from './output.ts'
import { zSeconds, zWei } from './schemas.ts'
import { describeAssumption, toVoteYield, zYield } from './yields.ts'

/** A slash takes a tenth of the bond's part of votes, and at most this: IStakingHooks.slash. */
const maxVoteSlashBps = 200n

/** What a vote for a node would mean. */
export const zVotePreview = z.object({
  exposureWei: zWei.describe('the most that one slash of the node takes of the vote: 2 %'),
  thawSeconds: zSeconds,
  releaseAt: zSeconds.describe('when it could be withdrawn if it left now'),
  voterShareBps: z.int(),
  shareDrop: z.object({ voterShareBps: z.int(), effectiveAt: zSeconds }).nullable().describe('a lower voter share that is announced'),
  convictions: z.int().describe('steps that convictions have raised'),
  openDisputes: z.int(),
  slashes: z.int(),
  slashedWei: zWei.describe('all that slashes took of bond and votes'),
  lastSlashAt: zSeconds.nullable(),
  yield: zYield,
  assumption: z.string(),
})
export type VotePreview = z.output<typeof zVotePreview>

/** What `amountWei` of votes for `node` risk and earn, by the node's record and today's rate. */
export async function getVotePreview(chain: Chain, node: NodeRecord & { role: Role }, amountWei: bigint): Promise<VotePreview> {
  const [{ thawSeconds }, { latest }, stream, convictions, slashes, shareDrop] = await Promise.all([
    chain.getParameters(),
    chain.getBlocks(),
    chain.getStream(node.role),
    chain.getConvictions(node.node),
    chain.getSlashes(node.node),
    chain.findShareDrop(node.node),
  ])
  return {
    exposureWei: (amountWei * maxVoteSlashBps) / 10_000n,
    thawSeconds,
    releaseAt: latest.timestamp + thawSeconds,
    voterShareBps: node.voterShareBps,
    shareDrop,
    convictions: convictions.step,
    openDisputes: convictions.openDisputes,
    slashes: slashes.length,
    slashedWei: slashes.reduce((sum, slash) => sum + slash.bondWei + slash.thawingBondWei + slash.votesWei, 0n),
    lastSlashAt: slashes.at(-1)?.at ?? null,
    yield: toVoteYield(node, stream, amountWei, latest.timestamp),
    assumption: describeAssumption(node.role, stream, latest.timestamp),
  }
}

/** The preview for people. */
export function viewVotePreview(preview: VotePreview, screen: Output): void {
  const now = preview.releaseAt - preview.thawSeconds
  const record = [
    preview.slashes === 0
      ? 'never slashed'
      : `slashed ${preview.slashes} ${preview.slashes === 1 ? 'time' : 'times'}, ${formatCaiShort(preview.slashedWei)} in all, last ${formatTime(preview.lastSlashAt ?? 0)}`,
    `${preview.convictions} ${preview.convictions === 1 ? 'conviction' : 'convictions'}`,
    `${preview.openDisputes} open ${preview.openDisputes === 1 ? 'dispute' : 'disputes'}`,
  ]
  const drop = preview.shareDrop
  const rows: [string, string][] = [
    ['exposure', `a slash of this node takes at most 2 % of the vote: ${formatCaiShort(preview.exposureWei)}`],
    ['leaving', `takes ${formatDuration(preview.thawSeconds)}: if asked now, until ${formatWhen(preview.releaseAt, now)}`],
    ['record', record.join(', ')],
    [
      'share',
      `${formatBps(preview.voterShareBps)} of the node's income${drop === null ? '' : `, ${formatBps(drop.voterShareBps)} from ${formatWhen(drop.effectiveAt, now)}`}`,
    ],
    ['yield', `${formatEstimate(preview.yield.yearlyWei)} a year, ${formatBps(preview.yield.bps)} of ${formatCai(preview.yield.stakeWei)}`],
  ]
  for (const [name, text] of rows) screen.line(`  ${name.padEnd(8)} ${text}`)
  screen.line(screen.style('dim', preview.assumption))
}
