import { z } from 'zod'
import { formatDuration } from '../config/duration.ts'
import type { StreamRecord } from '../domain/chainPort.ts'
import { maxVotesPerBond, type NodeRecord, type Role } from '../domain/node.ts'
import { formatEstimate, formatTime } from './format.ts'
import { zWei } from './schemas.ts'

const yearSeconds = 31_536_000n

/** What some stake would earn in a year; `bps`: in 1/10,000 of that stake. */
export const zYield = z.object({ stakeWei: zWei, yearlyWei: zWei, bps: z.int() })
export type Yield = z.output<typeof zYield>

type Earner = Pick<NodeRecord, 'active' | 'bondWei' | 'votesWei' | 'weightWei' | 'voterShareBps'>

/** Wei per second that the stream gives to its role at `nowSeconds`: nothing when no period runs. */
export function toRunningRate(stream: StreamRecord, nowSeconds: number): bigint {
  return stream.endsAt > nowSeconds ? stream.rateWei : 0n
}

/** What `addedWei` more votes for `node` would earn in a year from its role's stream, all else as it is now. */
export function toVoteYield(node: Earner, stream: StreamRecord, addedWei: bigint, nowSeconds: number): Yield {
  const votesWei = node.votesWei + addedWei
  const voters = (toYearlyReward(node, stream, votesWei, nowSeconds) * BigInt(node.voterShareBps)) / 10_000n
  return toYield(addedWei, votesWei === 0n ? 0n : (voters * addedWei) / votesWei)
}

/** What the votes of `node` earn in a year, together. */
export function toVotersYield(node: Earner, stream: StreamRecord, nowSeconds: number): Yield {
  const yearlyWei = node.votesWei === 0n ? 0n : (toYearlyReward(node, stream, node.votesWei, nowSeconds) * BigInt(node.voterShareBps)) / 10_000n
  return toYield(node.votesWei, yearlyWei)
}

/** What the bond of `node` earns in a year: the owner's part, all of it while nobody votes. */
export function toOwnerYield(node: Earner, stream: StreamRecord, nowSeconds: number): Yield {
  const ownerBps = node.votesWei === 0n ? 10_000n : 10_000n - BigInt(node.voterShareBps)
  return toYield(node.bondWei, (toYearlyReward(node, stream, node.votesWei, nowSeconds) * ownerBps) / 10_000n)
}

/** The node's part of a year of the stream if its votes were `votesWei`. */
function toYearlyReward(node: Earner, stream: StreamRecord, votesWei: bigint, nowSeconds: number): bigint {
  if (!node.active) return 0n
  const cap = node.bondWei * maxVotesPerBond
  const weightWei = node.bondWei + (votesWei < cap ? votesWei : cap)
  const totalWei = stream.weightWei - node.weightWei + weightWei
  return totalWei === 0n ? 0n : (toRunningRate(stream, nowSeconds) * yearSeconds * weightWei) / totalWei
}

function toYield(stakeWei: bigint, yearlyWei: bigint): Yield {
  return { stakeWei, yearlyWei, bps: stakeWei === 0n ? 0 : Number((yearlyWei * 10_000n) / stakeWei) }
}

/** What a yearly yield takes for granted, in one or two sentences. */
export function describeAssumption(role: Role, stream: StreamRecord, nowSeconds: number): string {
  const rateWei = toRunningRate(stream, nowSeconds)
  if (rateWei === 0n) return `No reward period of the ${role}s runs now, so the yield counts nothing; \`cuckoo fund ${role} <amount>\` starts one.`
  const ends = `${formatTime(stream.endsAt)}, in ${formatDuration(stream.endsAt - nowSeconds)}`
  return `Assumes today's rate (${formatEstimate(rateWei * 86_400n)} a day to all ${role}s), weights and shares for a year, though this period ends on ${ends}; without task income, slashes and compounding.`
}
