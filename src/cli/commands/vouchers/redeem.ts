import { z } from 'zod'
import type { TxReport } from '../../../domain/chainPort.ts'
import type { SignedVoucher } from '../../../domain/payments.ts'
import { nothingToDo } from '../../../errors/cli.ts'
import { isError } from '../../../errors/cuckooError.ts'
import { signatureInvalid } from '../../../errors/payments.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatCai, formatShort, formatWhen } from '../../format.ts'
import { getNodeOrOwn, getParty } from '../../party.ts'
import { zAddress, zParty, zSeconds, zWei } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'
import { getHoldings, type Holding, sumOf, zHolding } from '../../vouchers.ts'

export const vouchersRedeem = defineCommand({
  description: `Redeems the newest vouchers of a miner of this machine in one transaction. What a
coordinator's escrow holds is paid at once; what it lacks becomes a claim on its bond,
paid one thaw later (7 days on public chains) or when it is covered. All of it is the
node's income: its voters have their share. Any account may send it; it costs gas only.`,
  examples: [
    { command: 'cuckoo vouchers redeem', note: 'all that pay anything' },
    { command: 'cuckoo vouchers redeem --coordinator 0x7099…79c8', note: "one coordinator's" },
    { command: 'cuckoo vouchers redeem --dry-run', note: 'only what it would pay' },
  ],
  args: z.object({ miner: zParty.optional().describe("the miner's address, or an account; default: the own") }),
  options: z.object({
    coordinator: z.array(zParty).default([]).describe('only the vouchers of this one').meta({ placeholder: 'address' }),
    ...txOptions,
  }),
  output: zTxReport.extend({
    miner: zAddress,
    redeemed: z.array(zHolding),
    paidWei: zWei,
    claimedWei: zWei,
    releaseAt: zSeconds.nullable().describe('when claims can be collected, about; null: none'),
    blockTimestamp: zSeconds,
  }),
  async run({ args, options }, context) {
    const miner = await getNodeOrOwn(context, args.miner)
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const only = await Promise.all(options.coordinator.map((text) => getParty(context, text)))
    const [held, { thawSeconds }, { latest }] = await Promise.all([getHoldings(context, miner), chain.getParameters(), chain.getBlocks()])
    const chosen = held.filter(({ holding }) => only.length === 0 || only.includes(holding.coordinator))
    const due = chosen.filter(({ holding, signed }) => signed !== null && holding.paidWei + holding.claimedWei > 0n)
    if (due.length === 0) {
      throw nothingToDo({
        what: `No voucher of ${miner} on this machine pays anything now`,
        next: '`cuckoo vouchers list` shows what it holds, and each line.',
      })
    }
    const { report, sent } = await sendValid(context, due as Held[], (vouchers) =>
      runTransaction(context, options, (tx) => chain.redeem(signer, { vouchers }, tx)),
    )
    const redeemed = sent.map(({ holding }) => holding)
    const [paidWei, claimedWei] = [sumOf(redeemed, 'paidWei'), sumOf(redeemed, 'claimedWei')]
    return {
      ...report,
      miner,
      redeemed,
      paidWei,
      claimedWei,
      releaseAt: claimedWei === 0n ? null : latest.timestamp + thawSeconds,
      blockTimestamp: latest.timestamp,
    }
  },
  view(report, screen) {
    const verb = report.dryRun ? 'would be' : 'is'
    for (const { coordinator, paidWei, claimedWei } of report.redeemed) {
      const parts = [
        ...(paidWei === 0n ? [] : [`${formatCai(paidWei)} ${verb} paid at once`]),
        ...(claimedWei === 0n ? [] : [`${formatCai(claimedWei)} ${verb} claimed on its bond`]),
      ]
      screen.line(`${formatShort(coordinator)}: ${parts.join(', ')}`)
    }
    if (report.releaseAt !== null) {
      screen.line(`What is claimed waits until ${formatWhen(report.releaseAt, report.blockTimestamp)}; then \`${screen.program} vouchers collect\`.`)
    }
    if (report.paidWei > 0n && !report.dryRun) screen.line(`\`${screen.program} claim\` moves the owner's part to free.`)
    viewTransaction(report, screen)
  },
})

interface Held {
  holding: Holding
  signed: SignedVoucher
}

/**
 * Sends all that the contract takes as one batch: one voucher by a key that no longer counts for its coordinator would spoil it,
 * so the contract's simulation names those, and they stay out.
 * @throws CUCKOO_PAYMENTS_SIGNATURE_INVALID when none is left
 */
async function sendValid(
  context: Context<never>,
  held: readonly Held[],
  send: (vouchers: readonly SignedVoucher[]) => Promise<TxReport>,
): Promise<{ report: TxReport; sent: readonly Held[] }> {
  let rest = held
  for (;;) {
    try {
      return { report: await send(rest.map(({ signed }) => signed)), sent: rest }
    } catch (error) {
      const spoilt = isError(error, signatureInvalid) ? rest.find(({ holding }) => holding.coordinator === error.facts['node']) : undefined
      if (spoilt === undefined || rest.length === 1) throw error
      context.output.warn(
        `the voucher of ${spoilt.holding.coordinator} stays out: its key no longer signs for it. The coordinator's next answer brings a new one.`,
      )
      rest = rest.filter((entry) => entry !== spoilt)
    }
  }
}
