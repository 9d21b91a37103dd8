import { z } from 'zod'
import { nothingToDo } from '../../../errors/cli.ts'
import { defineCommand } from '../../defineCommand.ts'
import { coordinatorOption, sortClaims, zClaim } from '../../escrow.ts'
import { formatCai } from '../../format.ts'
import { getNodeOrOwn } from '../../party.ts'
import { zAddress, zWei } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const escrowCover = defineCommand({
  description: `Pays open claims on a coordinator's bond out of its escrow, in full; what they hold of the
bond goes back to it. Those whose penalty is nearest come first, as far as escrow goes;
of those that are late already, 10 % of the amount is lost from the bond. Anyone may do
it; it costs gas only.`,
  examples: [{ command: 'cuckoo escrow cover', note: 'after `cuckoo escrow deposit <amount>`' }],
  args: z.object({}),
  options: z.object({ ...coordinatorOption, ...txOptions }),
  output: zTxReport.extend({
    coordinator: zAddress,
    covered: z.array(zClaim),
    coveredWei: zWei,
    penaltyWei: zWei.describe('what is lost from the bond because some were late'),
    left: z.array(zClaim),
    missingWei: zWei.describe('escrow that lacks for the rest'),
  }),
  async run({ options }, context) {
    const coordinator = await getNodeOrOwn(context, options.coordinator)
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const [{ escrowWei }, claims, { latest }] = await Promise.all([chain.getEscrow(coordinator), chain.getClaims({ coordinator }), chain.getBlocks()])
    if (claims.length === 0) throw nothingToDo({ what: `There are no claims on the bond of ${coordinator}`, next: '`cuckoo escrow show` shows its escrow.' })
    let coveredWei = 0n
    const covered = sortClaims(claims).filter(({ amountWei }) => {
      const fits = coveredWei + amountWei <= escrowWei
      if (fits) coveredWei += amountWei
      return fits
    })
    const left = claims.filter((claim) => !covered.includes(claim))
    const missingWei = left.reduce((sum, { amountWei }) => sum + amountWei, coveredWei) - escrowWei
    const missing = `\`cuckoo escrow deposit <amount>\` with ${formatCai(missingWei)} more covers all.`
    if (covered.length === 0) throw nothingToDo({ what: `The escrow of ${formatCai(escrowWei)} covers none of ${claims.length} open claims`, next: missing })
    const report = await runTransaction(context, options, (tx) => chain.coverClaims(signer, { claimIds: covered.map(({ id }) => id) }, tx))
    if (left.length > 0) context.output.warn(`${left.length} of ${claims.length} claims stay open: ${missing}`)
    const late = covered.filter(({ penalised, coverUntil }) => !penalised && coverUntil <= latest.timestamp)
    const penaltyWei = late.reduce((sum, { amountWei }) => sum + amountWei / 10n, 0n)
    return { ...report, coordinator, covered, coveredWei, penaltyWei, left, missingWei: left.length === 0 ? 0n : missingWei }
  },
  view(report, screen) {
    if (!report.dryRun) {
      screen.line(`Covered ${report.covered.length} ${report.covered.length === 1 ? 'claim' : 'claims'} with ${formatCai(report.coveredWei)} of escrow.`)
      if (report.penaltyWei > 0n) screen.line(`They were late: ${formatCai(report.penaltyWei)} of the bond went to the reward pool.`)
    }
    viewTransaction(report, screen)
  },
})
