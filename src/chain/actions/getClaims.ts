import type { Address } from '../../domain/hex.ts'
import type { ClaimRecord } from '../../domain/payments.ts'
import { readLatest } from '../blocks.ts'
import { type ChainContext, readContract } from '../context.ts'
import { readEvents } from '../contractEvents.ts'
import { toAddress } from '../toAddress.ts'

/** Claims of, or on, `party` that are neither covered nor collected, the oldest first. Found by VoucherRedeemed events. */
export function getClaims(context: ChainContext, party: { coordinator: Address } | { miner: Address }): Promise<ClaimRecord[]> {
  return readLatest(context, async ({ number: toBlock }) => {
    const redeemed = await readEvents(context, 'payments', { eventName: 'VoucherRedeemed', args: party, toBlock })
    const ids = redeemed.map(({ args }) => args.claimId).filter((id) => id > 0n)
    if (ids.length === 0) return []
    const [covered, collected] = await Promise.all([
      readEvents(context, 'payments', { eventName: 'ClaimCovered', args: { claimId: ids }, toBlock }),
      readEvents(context, 'payments', { eventName: 'ClaimCollected', args: { claimId: ids }, toBlock }),
    ])
    const over = new Set([...covered, ...collected].map(({ args }) => args.claimId))
    return Promise.all(ids.filter((id) => !over.has(id)).map((id) => readClaim(context, id, toBlock)))
  })
}

async function readClaim(context: ChainContext, id: bigint, blockNumber: bigint): Promise<ClaimRecord> {
  const view = await readContract(context, 'payments', 'getClaim', [id], blockNumber)
  return {
    id,
    coordinator: toAddress(view.coordinator),
    miner: toAddress(view.miner),
    amountWei: view.amountWei,
    worthWei: view.worthWei,
    coverUntil: Number(view.coverUntil),
    releaseAt: Number(view.releaseAt),
    penalised: view.penalised,
  }
}
