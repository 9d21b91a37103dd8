import { z } from 'zod'
import { formatCompact, formatTime } from './format.ts'
import type { Output } from './output.ts'
import { zSeconds, zWei } from './schemas.ts'

/** What a node earned in one bond epoch. */
export const zEarning = z.object({
  startsAt: zSeconds,
  ownerRewardsWei: zWei,
  votersRewardsWei: zWei,
  ownerIncomeWei: zWei,
  votersIncomeWei: zWei,
  claimedWei: zWei,
})
export type Earning = z.output<typeof zEarning>

/** A table of the newest `limit` epochs, the newest first, in CAI. */
export function viewEarnings(earnings: readonly Earning[], limit: number, screen: Output): void {
  const newest = [...earnings].reverse().slice(0, limit)
  if (newest.length === 0) return
  const right = (title: string) => ({ title, align: 'right' }) as const
  screen.table({
    columns: [{ title: 'epoch from' }, right('rewards'), right('tasks'), right('voters: rewards'), right('tasks'), right('claimed')],
    rows: newest.map((earning) => [
      formatTime(earning.startsAt),
      formatCompact(earning.ownerRewardsWei, 4),
      formatCompact(earning.ownerIncomeWei, 4),
      formatCompact(earning.votersRewardsWei, 4),
      formatCompact(earning.votersIncomeWei, 4),
      formatCompact(earning.claimedWei, 4),
    ]),
  })
  const older = earnings.length - newest.length
  if (older > 0) screen.line(screen.style('dim', `${older} older ${older === 1 ? 'epoch' : 'epochs'}: --json shows all`))
}
