import type { EarningRecord } from '../../domain/chainPort.ts'
import type { Address } from '../../domain/hex.ts'
import { readLatest } from '../blocks.ts'
import { type ChainContext, readContract } from '../context.ts'
import { readEvents, readTimestamps } from '../contractEvents.ts'

/** What `node` earned in each bond epoch, oldest first (RewardsSettled, IncomeCredited and Claimed events). A reward counts in the epoch in which it was settled. */
export function getEarnings(context: ChainContext, node: Address): Promise<EarningRecord[]> {
  return readLatest(context, async ({ number: toBlock }) => {
    const args = { node }
    const [epochSeconds, rewards, income, claims] = await Promise.all([
      readContract(context, 'staking', 'epochSeconds', []),
      readEvents(context, 'staking', { eventName: 'RewardsSettled', args, toBlock }),
      readEvents(context, 'staking', { eventName: 'IncomeCredited', args, toBlock }),
      readEvents(context, 'staking', { eventName: 'Claimed', args, toBlock }),
    ])
    const timestamps = await readTimestamps(context, [...rewards, ...income, ...claims])
    const records = new Map<number, EarningRecord>()
    const getRecord = ({ blockNumber }: { blockNumber: bigint }): EarningRecord => {
      const timestamp = timestamps.get(blockNumber) ?? 0
      const startsAt = timestamp - (timestamp % Number(epochSeconds))
      const found = records.get(startsAt)
      if (found) return found
      const record = { startsAt, ownerRewardsWei: 0n, votersRewardsWei: 0n, ownerIncomeWei: 0n, votersIncomeWei: 0n, claimedWei: 0n }
      records.set(startsAt, record)
      return record
    }
    for (const event of rewards) {
      const record = getRecord(event)
      record.ownerRewardsWei += event.args.ownerWei
      record.votersRewardsWei += event.args.votersWei
    }
    for (const event of income) {
      const record = getRecord(event)
      record.ownerIncomeWei += event.args.ownerWei
      record.votersIncomeWei += event.args.votersWei
    }
    for (const event of claims) getRecord(event).claimedWei += event.args.amountWei
    return [...records.values()].sort((a, b) => a.startsAt - b.startsAt)
  })
}
