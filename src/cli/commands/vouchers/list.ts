import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { zClaim } from '../../escrow.ts'
import { formatCai, formatShort, formatTime, formatWhen } from '../../format.ts'
import type { Output } from '../../output.ts'
import { getNodeOrOwn } from '../../party.ts'
import { zAddress, zParty, zSeconds, zWei } from '../../schemas.ts'
import { getHoldings, type Holding, sumOf, zHolding } from '../../vouchers.ts'

export const vouchersList = defineCommand({
  description: `Lists what a miner of this machine holds for each coordinator: owed, vouchers, redeemed,
the line, and what redeeming would pay now. It reads the miner's store, also while the
miner runs. Claims that wait on bonds come after it.`,
  examples: [
    { command: 'cuckoo vouchers list', note: 'of the own miner, as owner or operator' },
    { command: 'cuckoo vouchers list --json', note: 'for scripts' },
  ],
  args: z.object({ miner: zParty.optional().describe("the miner's address, or an account; default: the own") }),
  options: z.object({}),
  output: z.object({
    miner: zAddress,
    holdings: z.array(zHolding),
    claims: z.array(zClaim),
    paidWei: zWei.describe('what redeeming all would pay at once'),
    claimedWei: zWei,
    blockTimestamp: zSeconds,
  }),
  async run({ args }, context) {
    const miner = await getNodeOrOwn(context, args.miner)
    const chain = await context.ports.getChain()
    const [found, claims, { latest }] = await Promise.all([getHoldings(context, miner), chain.getClaims({ miner }), chain.getBlocks()])
    const holdings = found.map(({ holding }) => holding)
    return { miner, holdings, claims, paidWei: sumOf(holdings, 'paidWei'), claimedWei: sumOf(holdings, 'claimedWei'), blockTimestamp: latest.timestamp }
  },
  view({ miner, holdings, claims, paidWei, claimedWei, blockTimestamp: now }, screen) {
    if (holdings.length === 0 && claims.length === 0) return screen.line(`The miner ${miner} holds no vouchers here, and no coordinator has a line for it.`)
    for (const holding of holdings) viewHolding(holding, screen, now)
    for (const claim of claims) {
      const worth = claim.worthWei < claim.amountWei ? `, worth ${formatCai(claim.worthWei)} after a slash` : ''
      const when = claim.releaseAt <= now ? `\`${screen.program} vouchers collect\` now` : `paid on ${formatWhen(claim.releaseAt, now)} or when it is covered`
      screen.line(`claim ${claim.id} on ${formatShort(claim.coordinator)}: ${formatCai(claim.amountWei)}${worth}; ${when}`)
    }
    if (paidWei + claimedWei > 0n)
      screen.line(`\`${screen.program} vouchers redeem\` pays ${formatCai(paidWei)} now${claimedWei > 0n ? ` and claims ${formatCai(claimedWei)}` : ''}.`)
  },
})

function viewHolding(holding: Holding, screen: Output, now: number): void {
  const { voucher, unsignedWei, overLineWei, noticeAt } = holding
  const signed = voucher === null ? 'none yet' : `${formatCai(voucher.cumulativeWei)}, signed ${formatTime(voucher.issuedAt)}`
  const rows: [string, string][] = [
    [
      'owed',
      `${formatCai(holding.owedWei)} for ${holding.results} ${holding.results === 1 ? 'result' : 'results'}${unsignedWei > 0n ? `, ${formatCai(unsignedWei)} of it in no voucher yet` : ''}`,
    ],
    ['voucher', signed],
    ['redeemed', `${formatCai(holding.redeemedWei)} of at most ${formatCai(holding.capWei)}`],
    ['line', `${formatCai(holding.lineWei)}${noticeAt === null ? '' : `, less from ${formatWhen(noticeAt, now)}: redeem before`}`],
  ]
  if (overLineWei > 0n) rows.push(['', `${formatCai(overLineWei)} of the voucher is over it and waits for a higher line`])
  if (holding.paidWei > 0n) rows.push(['now', `${formatCai(holding.paidWei)} would be paid at once`])
  if (holding.claimedWei > 0n) rows.push([holding.paidWei > 0n ? '' : 'now', `${formatCai(holding.claimedWei)} would become a claim on its bond`])
  screen.line(`${formatShort(holding.coordinator)} ${screen.style('bold', holding.name ?? '')}`.trimEnd())
  for (const [name, text] of rows) screen.line(`  ${name.padEnd(9)} ${text}`)
  screen.line()
}
