import type { EarningRecord } from '../../domain/chainPort.ts'
import type { Address } from '../../domain/hex.ts'
import { readLatest } from '../blocks.ts'
import { type ChainContext, readContract } from '../context.ts'
import { readEvents, readTimestamps } from '../contractEvents.ts'

/**
 * What `node` earned in each bond epoch, oldest first (RewardsSettled, Dripped, IncomeCredited and Claimed events). A reward counts in the
 * epoch in which it was settled; income in that in which it was credited, also the voters' part that drips into the pool afterwards.
 */
export function getEarnings(context: ChainContext, node: Address): Promise<EarningRecord[]> {
  return readLatest(context, async ({ number: toBlock }) => {
    const args = { node }
    const [epochSeconds, ...read] = await Promise.all([
      readContract(context, 'staking', 'epochSeconds', []),
      readEvents(context, 'staking', { eventName: 'RewardsSettled', args, toBlock }),
      readEvents(context, 'staking', { eventName: 'Dripped', args, toBlock }),
      readEvents(context, 'staking', { eventName: 'IncomeCredited', args, toBlock }),
      readEvents(context, 'staking', { eventName: 'Claimed', args, toBlock }),
    ])
    const events = read.flat().sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex)
    const timestamps = await readTimestamps(context, events)
    const records = new Map<number, EarningRecord>()
    // Without voters all that a settlement moves is the owner's.
    let settledTo: 'ownerRewardsWei' | 'votersRewardsWei' = 'votersRewardsWei'
    for (const event of events) {
      const timestamp = timestamps.get(event.blockNumber) ?? 0
      const record = getRecord(records, timestamp - (timestamp % Number(epochSeconds)))
      if (event.eventName === 'Claimed') {
        record.claimedWei += event.args.amountWei
      } else if (event.eventName === 'IncomeCredited') {
        record.ownerIncomeWei += event.args.ownerWei
        record.votersIncomeWei += event.args.votersWei
      } else if (event.eventName === 'Dripped') {
        // Part of the settlement just before, and counted when it was credited.
        record[settledTo] -= event.args.amountWei
      } else {
        record.ownerRewardsWei += event.args.ownerWei
        record.votersRewardsWei += event.args.votersWei
        settledTo = event.args.votersWei === 0n ? 'ownerRewardsWei' : 'votersRewardsWei'
      }
    }
    return [...records.values()]
  })
}

function getRecord(records: Map<number, EarningRecord>, startsAt: number): EarningRecord {
  const found = records.get(startsAt)
  if (found) return found
  const record = { startsAt, ownerRewardsWei: 0n, votersRewardsWei: 0n, ownerIncomeWei: 0n, votersIncomeWei: 0n, claimedWei: 0n }
  records.set(startsAt, record)
  return record
}
