import type { EarningRecord } from '../../domain/chainPort.ts'
import type { Address } from '../../domain/hex.ts'
import { readLatest } from '../blocks.ts'
import { type ChainContext, readContract } from '../context.ts'
import { readEvents, readTimestamps } from '../contractEvents.ts'

/**
 * What `node` earned in each bond epoch, oldest first (RewardsSettled, IncomeCredited and Claimed events). A reward counts in the epoch
 * in which it was settled; income in that in which it was credited, also the voters' part that drips into the pool afterwards.
 */
export function getEarnings(context: ChainContext, node: Address): Promise<EarningRecord[]> {
  return readLatest(context, async ({ number: toBlock }) => {
    const args = { node }
    const [epochSeconds, dripSeconds, rewards, income, claims] = await Promise.all([
      readContract(context, 'staking', 'epochSeconds', []),
      readContract(context, 'staking', 'dripSeconds', []),
      readEvents(context, 'staking', { eventName: 'RewardsSettled', args, toBlock }),
      readEvents(context, 'staking', { eventName: 'IncomeCredited', args, toBlock }),
      readEvents(context, 'staking', { eventName: 'Claimed', args, toBlock }),
    ])
    const events = [...rewards, ...income, ...claims].sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex)
    const timestamps = await readTimestamps(context, events)
    const records = new Map<number, EarningRecord>()
    const drip = createDrip(dripSeconds)
    for (const event of events) {
      const timestamp = timestamps.get(event.blockNumber) ?? 0
      const record = getRecord(records, timestamp - (timestamp % Number(epochSeconds)))
      if (event.eventName === 'Claimed') {
        record.claimedWei += event.args.amountWei
      } else if (event.eventName === 'IncomeCredited') {
        record.ownerIncomeWei += event.args.ownerWei
        record.votersIncomeWei += event.args.votersWei
        drip.add(BigInt(timestamp), event.args.votersWei)
      } else {
        // What was settled holds what has dripped of the income, which was counted when it was credited.
        const { ownerWei, votersWei } = event.args
        const drippedWei = drip.take(BigInt(timestamp))
        // Without voters all is the owner's.
        if (votersWei === 0n) record.ownerRewardsWei += subtract(ownerWei, drippedWei)
        else record.ownerRewardsWei += ownerWei
        record.votersRewardsWei += subtract(votersWei, drippedWei)
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

/** The voters' part of income on its way into the pool, as the contract counts it (Settlement._drip), in wei. */
function createDrip(dripSeconds: bigint) {
  let [waitingWei, maturedWei, startAt, leftSeconds] = [0n, 0n, 0n, 0n]
  const flow = (now: bigint): void => {
    const elapsed = now - startAt
    const flowedWei = elapsed >= leftSeconds ? waitingWei : (waitingWei * elapsed) / leftSeconds
    waitingWei -= flowedWei
    maturedWei += flowedWei
    startAt = now
    leftSeconds = elapsed >= leftSeconds ? 0n : leftSeconds - elapsed
  }
  return {
    /** another lump: the drip of what is left starts anew */
    add(now: bigint, amountWei: bigint): void {
      if (amountWei === 0n) return
      flow(now)
      waitingWei += amountWei
      leftSeconds = dripSeconds
    },
    /** what has dripped since the last time */
    take(now: bigint): bigint {
      flow(now)
      const takenWei = maturedWei
      maturedWei = 0n
      return takenWei
    },
  }
}

/** A settlement without anything to tell leaves no event, and may have rounded by a wei. */
function subtract(wei: bigint, otherWei: bigint): bigint {
  return wei > otherWei ? wei - otherWei : 0n
}
