import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { coordinatorOption, getCoordinator } from '../../escrow.ts'
import { formatCai } from '../../format.ts'
import { zAddress, zAmount, zWei } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const escrowDeposit = defineCommand({
  description: `Adds CAI of the account's wallet to a coordinator's escrow, out of which miners' vouchers
are paid at once. Anyone may add; only the coordinator's owner can ask it back.`,
  examples: [
    { command: 'cuckoo escrow deposit 1000', note: 'for the own coordinator' },
    { command: 'cuckoo escrow deposit 1000 --coordinator 0x7099…79c8', note: "for anyone's" },
  ],
  args: z.object({ amount: zAmount.describe('CAI').meta({ placeholder: 'amount' }) }),
  options: z.object({ ...coordinatorOption, ...txOptions }),
  output: zTxReport.extend({ coordinator: zAddress, amountWei: zWei, escrowWei: zWei.describe('all that is there afterwards') }),
  async run({ args, options }, context) {
    const { chain, coordinator } = await getCoordinator(context, options.coordinator)
    const signer = await context.ports.getSigner(options)
    const { escrowWei } = await chain.getEscrow(coordinator)
    const report = await runTransaction(context, options, (tx) => chain.depositEscrow(signer, { coordinator, amountWei: args.amount }, tx))
    return { ...report, coordinator, amountWei: args.amount, escrowWei: escrowWei + args.amount }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Added ${formatCai(report.amountWei)}; the escrow of ${report.coordinator} is ${formatCai(report.escrowWei)}.`)
    viewTransaction(report, screen)
  },
})
