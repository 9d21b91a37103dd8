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
        const { ownerWei, votersWei } = event.args
        const drippedWei = drip.preview(BigInt(timestamp))
        // Without voters all is the owner's, what has dripped too.
        if (votersWei === 0n) {
          record.ownerRewardsWei += subtract(ownerWei, drip.take(BigInt(timestamp)))
        } else {
          record.ownerRewardsWei += ownerWei
          record.votersRewardsWei += isShared(ownerWei, votersWei - drippedWei) ? votersWei - drip.take(BigInt(timestamp)) : votersWei
        }
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

/**
 * Whether a reward can have been shared like this: the voters' part is a whole number of basis points, rounded down. A settlement's
 * event does not tell whether it holds what has dripped of the income, which was counted when it was credited (votes and unvotes do, a
 * claim or a slash does not); of two readings that differ by many wei only one is a share.
 */
function isShared(ownerWei: bigint, votersWei: bigint): boolean {
  if (votersWei < 0n) return false
  const earnedWei = ownerWei + votersWei
  if (earnedWei === 0n) return true
  const shareBps = (votersWei * 10_000n + earnedWei - 1n) / earnedWei
  return (earnedWei * shareBps) / 10_000n === votersWei
}

/** The voters' part of income on its way into the pool, as the contract counts it (Settlement._loadDrip), in wei. */
function createDrip(dripSeconds: bigint) {
  let [waitingWei, maturedWei, startAt, leftSeconds] = [0n, 0n, 0n, 0n]
  const toFlowed = (now: bigint): bigint => (now - startAt >= leftSeconds ? waitingWei : (waitingWei * (now - startAt)) / leftSeconds)
  const flow = (now: bigint): void => {
    const flowedWei = toFlowed(now)
    waitingWei -= flowedWei
    maturedWei += flowedWei
    leftSeconds = now - startAt >= leftSeconds ? 0n : leftSeconds - (now - startAt)
    startAt = now
  }
  return {
    /** another lump: the drip of what is left starts anew */
    add(now: bigint, amountWei: bigint): void {
      if (amountWei === 0n) return
      flow(now)
      waitingWei += amountWei
      leftSeconds = dripSeconds
    },
    /** what {@link take} would give; changes nothing, for each step rounds */
    preview: (now: bigint): bigint => maturedWei + toFlowed(now),
    /** what has dripped since it was last taken */
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
