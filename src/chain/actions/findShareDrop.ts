import type { Address } from '../../domain/hex.ts'
import { readBlock } from '../blocks.ts'
import type { ChainContext } from '../context.ts'
import { readEvents } from '../contractEvents.ts'

/** A lower voter share of `node` that is announced, in 1/10,000, and unix seconds from which it counts; null: none waits. */
export async function findShareDrop(context: ChainContext, node: Address): Promise<{ voterShareBps: number; effectiveAt: number } | null> {
  const { number: toBlock, timestamp } = await readBlock(context, 'latest')
  const [registrations, shares] = await Promise.all([
    readEvents(context, 'staking', { eventName: 'NodeRegistered', args: { node }, toBlock }),
    readEvents(context, 'staking', { eventName: 'VoterShareSet', args: { node }, toBlock }),
  ])
  const [registered, last] = [registrations.at(-1), shares.at(-1)]
  // Whoever registers again sets the share anew: what was announced before does not come.
  const isForgotten = last === undefined || (registered !== undefined && last.blockNumber < registered.blockNumber)
  if (isForgotten || Number(last.args.effectiveAt) <= timestamp) return null
  return { voterShareBps: last.args.voterShareBps, effectiveAt: Number(last.args.effectiveAt) }
}
