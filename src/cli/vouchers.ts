import { z } from 'zod'
import type { Chain } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import type { SignedVoucher } from '../domain/payments.ts'
import type { CoordinatorPayments } from '../domain/storePorts.ts'
import type { Context } from './context.ts'
import { zAddress, zSeconds, zWei } from './schemas.ts'

/** What a miner holds for one coordinator, and what redeeming it would do now. */
export const zHolding = z.object({
  coordinator: zAddress,
  name: z.string().nullable(),
  results: z.int().describe('accepted over all time'),
  owedWei: zWei.describe('their prices'),
  voucher: z.object({ cumulativeWei: zWei, issuedAt: zSeconds }).nullable(),
  unsignedWei: zWei.describe('owed, and in no voucher yet'),
  redeemedWei: zWei,
  capWei: zWei,
  lineWei: zWei.describe('what can still be redeemed'),
  overLineWei: zWei.describe('of the voucher, what the line does not take'),
  noticeAt: zSeconds.nullable().describe('when a lower cap begins to count'),
  paidWei: zWei.describe('what redeeming would pay at once'),
  claimedWei: zWei.describe("what it would claim on the coordinator's bond"),
})
export type Holding = z.output<typeof zHolding>

/** Holdings of the miner `node`, with the vouchers themselves: coordinators that have a line for it, or that its store on this machine knows. */
export async function getHoldings(context: Pick<Context, 'ports'>, node: Address): Promise<{ holding: Holding; signed: SignedVoucher | null }[]> {
  const chain = await context.ports.getChain()
  const [payments, lines] = await Promise.all([context.ports.readPayments(node), chain.getLines({ miner: node })])
  const coordinators = [...new Set([...payments, ...lines].map(({ coordinator }) => coordinator))]
  return Promise.all(
    coordinators.map(async (coordinator) => {
      const held = payments.find((payment) => payment.coordinator === coordinator)
      const line = lines.find((found) => found.coordinator === coordinator)
      return toHolding(chain, node, coordinator, held, line ?? { redeemedWei: 0n, capWei: 0n, lineWei: 0n, notice: null })
    }),
  )
}

async function toHolding(
  chain: Chain,
  miner: Address,
  coordinator: Address,
  held: CoordinatorPayments | undefined,
  line: { redeemedWei: bigint; capWei: bigint; lineWei: bigint; notice: { at: number } | null },
): Promise<{ holding: Holding; signed: SignedVoucher | null }> {
  const signed = held?.voucher ?? null
  const cumulativeWei = signed?.voucher.cumulativeWei ?? 0n
  const [record, preview] = await Promise.all([
    chain.getNode(coordinator),
    cumulativeWei > line.redeemedWei ? chain.previewRedeem(coordinator, miner, cumulativeWei) : { paidWei: 0n, claimedWei: 0n },
  ])
  const owedWei = held?.owedWei ?? 0n
  const holding = {
    coordinator,
    name: record.profile?.name ?? null,
    results: held?.results ?? 0,
    owedWei,
    voucher: signed && { cumulativeWei, issuedAt: Number(signed.voucher.issuedAt) },
    unsignedWei: owedWei > cumulativeWei ? owedWei - cumulativeWei : 0n,
    redeemedWei: line.redeemedWei,
    capWei: line.capWei,
    lineWei: line.lineWei,
    overLineWei: toPositive(cumulativeWei - line.redeemedWei - line.lineWei),
    noticeAt: line.notice?.at ?? null,
    ...preview,
  }
  return { holding, signed }
}

function toPositive(wei: bigint): bigint {
  return wei > 0n ? wei : 0n
}

/** Sum of `key` over `list`, in wei. */
export function sumOf<K extends string>(list: readonly Record<K, bigint>[], key: K): bigint {
  return list.reduce((sum, entry) => sum + entry[key], 0n)
}
