import { z } from 'zod'
import type { Chain } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import type { NodeRecord } from '../domain/node.ts'
import type { ClaimRecord, EscrowRecord, LineRecord } from '../domain/payments.ts'
import { coordinatorNotRegistered } from '../errors/cli.ts'
import type { Context } from './context.ts'
import { formatCai, formatCompact, formatShort, formatWhen } from './format.ts'
import type { Output } from './output.ts'
import { getNodeOrOwn } from './party.ts'
import { zAddress, zBigint, zParty, zSeconds, zWei } from './schemas.ts'

export const zLine = z.object({
  coordinator: zAddress,
  miner: zAddress,
  capWei: zWei.describe('what vouchers may add up to, over all time'),
  redeemedWei: zWei,
  lineWei: zWei.describe('what can be redeemed now'),
  notice: z.object({ capWei: zWei, at: zSeconds }).nullable(),
})

export const zClaim = z.object({
  id: zBigint,
  coordinator: zAddress,
  miner: zAddress,
  amountWei: zWei,
  worthWei: zWei.describe('what it is worth now: less after a slash'),
  coverUntil: zSeconds,
  releaseAt: zSeconds,
  penalised: z.boolean(),
})

export const zEscrow = z.object({
  coordinator: zAddress,
  escrowWei: zWei,
  thawingWei: zWei,
  releaseAt: zSeconds.nullable(),
  openWei: zWei,
  claimsWei: zWei,
  requiredBondWei: zWei,
})

/** Options of commands that act for a coordinator that need not be the account's own. */
export const coordinatorOption = {
  coordinator: zParty.optional().describe("the coordinator's address, or an account; default: the own").meta({ placeholder: 'address' }),
}

/**
 * The registered coordinator that was named, or the account's own.
 * @throws CUCKOO_CLI_COORDINATOR_NOT_REGISTERED
 */
export async function getCoordinator(
  context: Pick<Context, 'ports'>,
  text: string | undefined,
): Promise<{ chain: Chain; coordinator: Address; record: NodeRecord }> {
  const coordinator = await getNodeOrOwn(context, text)
  const chain = await context.ports.getChain()
  const record = await chain.getNode(coordinator)
  if (record.role !== 'coordinator') throw coordinatorNotRegistered({ node: coordinator, network: chain.deployment.network })
  return { chain, coordinator, record }
}

/** Escrow that is not asked back, in wei: what lines count on besides half the bond. */
export function toStandingEscrow({ escrowWei, thawingWei }: Pick<EscrowRecord, 'escrowWei' | 'thawingWei'>): bigint {
  return toPositive(escrowWei - thawingWei)
}

/** What claims keep of the bond, in wei: what must stay of it beyond what lines need (IPayments.requiredBondWei). */
function toReserve(escrow: CoverRecord): bigint {
  return escrow.requiredBondWei - 2n * toPositive(escrow.openWei - toStandingEscrow(escrow))
}

type CoverRecord = Pick<EscrowRecord, 'escrowWei' | 'thawingWei' | 'openWei' | 'requiredBondWei'>

/**
 * By how much lines may still rise, or escrow sink, in wei: escrow that is not asked back, and half of what the bond has beyond the
 * reserve for claims, less the lines. `bondWei`: of a registered coordinator, 0 where it does not count (IPayments).
 */
export function toSpareCover(escrow: CoverRecord, bondWei: bigint): bigint {
  return toPositive(toStandingEscrow(escrow) + toPositive(bondWei - toReserve(escrow)) / 2n - escrow.openWei)
}

function toPositive(wei: bigint): bigint {
  return wei > 0n ? wei : 0n
}

/** Bond in wei that stands for lines: none where the node is no coordinator any more. */
export function toCoveringBond({ role, bondWei }: Pick<NodeRecord, 'role' | 'bondWei'>): bigint {
  return role === 'coordinator' ? bondWei : 0n
}

/** A coordinator's lines, a miner each. */
export function viewLines(lines: readonly LineRecord[], screen: Output, nowSeconds: number): void {
  screen.table({
    columns: [
      { title: 'line of' },
      { title: 'open', align: 'right' },
      { title: 'redeemed', align: 'right' },
      { title: 'cap', align: 'right' },
      { title: 'notice', shrink: true },
    ],
    rows: lines.map(({ miner, lineWei, redeemedWei, capWei, notice }) => [
      formatShort(miner),
      formatCompact(lineWei, 4),
      formatCompact(redeemedWei, 4),
      formatCompact(capWei, 4),
      notice === null
        ? ''
        : `${formatCompact(notice.capWei, 4)} ${notice.at <= nowSeconds ? 'now: `escrow notice <miner>`' : `from ${formatWhen(notice.at, nowSeconds)}`}`,
    ]),
  })
}

/** What a coordinator has to do about one claim on its bond. */
export function describeClaim(claim: Pick<ClaimRecord, 'coverUntil' | 'releaseAt' | 'penalised'>, nowSeconds: number, program: string): string {
  const cover = `\`${program} escrow cover\``
  if (claim.releaseAt <= nowSeconds) return 'the miner can collect it from the bond now'
  const released = `until ${formatWhen(claim.releaseAt, nowSeconds)}, then the bond pays`
  if (claim.penalised) return `10 % penalty is lost; ${cover} ${released}`
  if (claim.coverUntil <= nowSeconds) return `10 % penalty is due; ${cover} ${released}`
  return `${cover} until ${formatWhen(claim.coverUntil, nowSeconds)}, then 10 % is lost`
}

/** Claims on a coordinator's bond with what to do, the most urgent first. */
export function viewClaims(claims: readonly ClaimRecord[], screen: Output, nowSeconds: number): void {
  for (const claim of sortClaims(claims)) {
    const loss = claim.worthWei < claim.amountWei ? ` (worth ${formatCai(claim.worthWei)} after a slash)` : ''
    screen.line(`claim ${claim.id} of ${formatShort(claim.miner)}: ${formatCai(claim.amountWei)}${loss}`)
    screen.line(`  ${describeClaim(claim, nowSeconds, screen.program)}`)
  }
}

/** `claims`, the one with the nearest penalty first. */
export function sortClaims<C extends ClaimRecord>(claims: readonly C[]): C[] {
  return [...claims].sort((left, right) => Number(left.penalised) - Number(right.penalised) || left.coverUntil - right.coverUntil || Number(left.id - right.id))
}
