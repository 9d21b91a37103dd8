import { z } from 'zod'
import type { TxOptions } from '../../../domain/chainPort.ts'
import { nothingToDo } from '../../../errors/cli.ts'
import { defineCommand } from '../../defineCommand.ts'
import { zClaim } from '../../escrow.ts'
import { formatCai, formatShort, formatWhen } from '../../format.ts'
import { getNodeOrOwn } from '../../party.ts'
import { zAddress, zParty } from '../../schemas.ts'
import { runSeries } from '../../transactionSeries.ts'
import { txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const vouchersCollect = defineCommand({
  description: `Collects the claims of a miner that have waited their thaw: the coordinators' bonds pay
what the claims are worth. One transaction for each. Any account may send them.`,
  examples: [{ command: 'cuckoo vouchers collect', note: '`cuckoo vouchers list` shows the dates' }],
  args: z.object({ miner: zParty.optional().describe("the miner's address, or an account; default: the own") }),
  options: z.object(txOptions),
  output: zTxReport.extend({ miner: zAddress, claim: zClaim }),
  async run({ args, options }, context) {
    const miner = await getNodeOrOwn(context, args.miner)
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const [claims, { latest }] = await Promise.all([chain.getClaims({ miner }), chain.getBlocks()])
    const due = claims.filter(({ releaseAt }) => releaseAt <= latest.timestamp)
    if (due.length === 0) {
      const next = claims.map(({ releaseAt }) => releaseAt).sort((left, right) => left - right)[0]
      throw nothingToDo({
        what: `No claim of ${miner} can be collected now`,
        next: next === undefined ? 'It has none: `cuckoo vouchers redeem` redeems vouchers.' : `The next one can be on ${formatWhen(next, latest.timestamp)}.`,
      })
    }
    const steps = due.map((claim) => ({ facts: { miner, claim }, send: (tx: TxOptions) => chain.collectClaim(signer, { claimId: claim.id }, tx) }))
    await runSeries(context, options, steps, context.emit)
    return undefined
  },
  view({ claim, ...report }, screen) {
    const verb = report.dryRun ? 'would pay' : 'paid'
    screen.line(`Claim ${claim.id}: the bond of ${formatShort(claim.coordinator)} ${verb} ${formatCai(claim.worthWei)} of ${formatCai(claim.amountWei)}.`)
    viewTransaction(report, screen)
  },
})
