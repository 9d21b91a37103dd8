import type { CreditRecord } from '../../domain/dispute.ts'
import type { Address } from '../../domain/hex.ts'
import { readBlock } from '../blocks.ts'
import { type ChainContext, readContract } from '../context.ts'
import { readEvents, readTimestamps } from '../contractEvents.ts'
import { toAddress } from '../toAddress.ts'

/** What the court holds for `account` at block `blockNumber` or the latest. Its reporter's cuts are found by the Credited events with a time to wait. */
export async function getCredits(context: ChainContext, account: Address, blockNumber?: bigint): Promise<CreditRecord> {
  const toBlock = blockNumber ?? (await readBlock(context, 'latest')).number
  const [creditWei, events] = await Promise.all([
    readContract(context, 'court', 'creditOf', [account], toBlock),
    readEvents(context, 'court', { eventName: 'Credited', args: { account }, toBlock }),
  ])
  const timestamps = await readTimestamps(context, events)
  const isCut = ({ blockNumber, args }: (typeof events)[number]): boolean => Number(args.releaseAt) > (timestamps.get(blockNumber) ?? 0)
  const caseIds = [...new Set(events.filter(isCut).map(({ args }) => args.caseId))]
  const cuts = await Promise.all(
    caseIds.map(async (caseId) => {
      const [reporter, amountWei, releaseAt] = await readContract(context, 'court', 'cutOf', [caseId], toBlock)
      return { caseId, reporter: toAddress(reporter), amountWei, releaseAt: Number(releaseAt) }
    }),
  )
  const open = cuts.filter(({ reporter, amountWei }) => reporter === account && amountWei > 0n)
  return { creditWei, cuts: open.map(({ caseId, amountWei, releaseAt }) => ({ caseId, amountWei, releaseAt })) }
}
