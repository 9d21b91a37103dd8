import type { Address } from '../../domain/hex.ts'
import type { LineRecord } from '../../domain/payments.ts'
import { readLatest } from '../blocks.ts'
import { type ChainContext, readContract } from '../context.ts'
import { readEvents } from '../contractEvents.ts'
import { toAddress } from '../toAddress.ts'

/** What `miner` can redeem from `coordinator`, at block `blockNumber` or the latest; all zero when there never was a line. */
export async function getLine(context: ChainContext, coordinator: Address, miner: Address, blockNumber?: bigint): Promise<LineRecord> {
  const view = await readContract(context, 'payments', 'getLine', [coordinator, miner], blockNumber)
  const { capWei, redeemedWei, lineWei, noticedCapWei, noticeAt } = view
  return { coordinator, miner, capWei, redeemedWei, lineWei, notice: noticeAt === 0n ? null : { capWei: noticedCapWei, at: Number(noticeAt) } }
}

/** Every line that `party` has at one block, in the order in which they were opened (LineRaised events). */
export function getLines(context: ChainContext, party: { coordinator: Address } | { miner: Address }): Promise<LineRecord[]> {
  return readLatest(context, async ({ number: toBlock }) => {
    const events = await readEvents(context, 'payments', { eventName: 'LineRaised', args: party, toBlock })
    const pairs = new Map(events.map(({ args: { coordinator, miner } }) => [`${coordinator}${miner}`, { coordinator, miner }]))
    return Promise.all([...pairs.values()].map(({ coordinator, miner }) => getLine(context, toAddress(coordinator), toAddress(miner), toBlock)))
  })
}
