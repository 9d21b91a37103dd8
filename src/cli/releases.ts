import { z } from 'zod'
import type { AccountRecord } from '../domain/chainPort.ts'
import type { ClaimRecord, EscrowRecord } from '../domain/payments.ts'
import { formatCompact, formatShort, formatWhen } from './format.ts'
import type { Output } from './output.ts'
import { zAddress, zSeconds, zWei } from './schemas.ts'

/** Money on its way to an account, with the command that takes it. */
export const zRelease = z.object({
  what: z.enum(['bond', 'votes', 'rewards', 'escrow', 'claim', 'credit', 'cut']),
  of: zAddress.nullable().describe('the node that it comes from; null: the court'),
  amountWei: zWei,
  at: zSeconds.nullable().describe('null: it was there all along'),
  released: z.boolean(),
  command: z.string().describe('without the name of the program'),
})
export type Release = z.output<typeof zRelease>

interface Sources {
  account: AccountRecord
  escrow: EscrowRecord | null
  /** claims of the account's miner on coordinators' bonds */
  claims: readonly ClaimRecord[]
}

/** Everything that is, or will be, the account's for one more command, in the order of its time. */
export function toReleases({ account, escrow, claims }: Sources): Release[] {
  const { credits, thaws, rewardsWei, blockTimestamp } = account
  const release = (what: Release['what'], of: Release['of'], amountWei: bigint, at: number | null, command: string): Release[] =>
    amountWei === 0n ? [] : [{ what, of, amountWei, at, released: at === null || at <= blockTimestamp, command }]
  return [
    ...release('rewards', account.account, rewardsWei, null, 'claim'),
    ...release('credit', null, credits.creditWei, null, 'jury collect'),
    ...thaws.flatMap((thaw) => release(thaw.kind, thaw.node, thaw.amountWei, thaw.releaseAt, 'withdraw')),
    ...(escrow === null ? [] : release('escrow', account.account, escrow.thawingWei, escrow.releaseAt, 'escrow withdraw')),
    ...claims.flatMap((claim) => release('claim', claim.coordinator, claim.worthWei, claim.releaseAt, 'vouchers collect')),
    ...credits.cuts.flatMap(({ amountWei, releaseAt }) => release('cut', null, amountWei, releaseAt, 'jury collect')),
  ].sort((left, right) => (left.at ?? 0) - (right.at ?? 0))
}

const names: Record<Release['what'], string> = {
  bond: 'bond',
  votes: 'votes',
  rewards: 'rewards',
  escrow: 'escrow',
  claim: 'claim',
  credit: 'at the court',
  cut: 'part of a slash',
}

/** The releases as a table. `now`: unix seconds of the chain. */
export function viewReleases(releases: readonly Release[], account: string, screen: Output, now: number): void {
  if (releases.length === 0) return
  screen.line()
  screen.table({
    columns: [{ title: 'released' }, { title: 'CAI', align: 'right' }, { title: 'what', shrink: true }, { title: 'command' }],
    rows: releases.map(({ what, of, amountWei, at, released, command }) => [
      released || at === null ? 'now' : formatWhen(at, now),
      formatCompact(amountWei, 4),
      of === null || of === account ? names[what] : `${names[what]} ${formatShort(of)}`,
      command,
    ]),
  })
}
