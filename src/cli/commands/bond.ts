import { z } from 'zod'
import { bondThresholdWei } from '../../domain/node.ts'
import { nothingToDo } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai } from '../format.ts'
import { zAmountOrAll, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const bond = defineCommand({
  description: `Moves free CAI to the bond of the own node. Bond gives weight and can be slashed;
a miner needs more than 20,000 CAI of it, a coordinator more than 2,000,000 CAI.`,
  examples: [
    { command: 'cuckoo bond 5000', note: '5,000 CAI of what is free' },
    { command: 'cuckoo bond all', note: 'all that is free' },
  ],
  args: z.object({ amount: zAmountOrAll.describe('CAI, or all').meta({ placeholder: 'amount|all' }) }),
  options: z.object(txOptions),
  output: zTxReport.extend({ amountWei: zWei, bondWei: zWei }),
  async run({ args, options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const account = await chain.getAccount(signer.address)
    const amountWei = args.amount === 'all' ? account.freeWei : args.amount
    if (args.amount === 'all' && amountWei === 0n) throw nothingToDo({ what: 'Nothing is free', next: 'Stake first: `cuckoo stake <amount>`.' })
    const report = await runTransaction(context, options, (tx) => chain.bond(signer, { amountWei }, tx))
    const bondWei = account.bondWei + amountWei
    const role = account.node?.role ?? 'none'
    if (role !== 'none' && bondWei <= bondThresholdWei[role]) {
      context.output.warn(`the bond is not above ${formatCai(bondThresholdWei[role])} yet: the ${role} stays inactive`)
    }
    return { ...report, amountWei, bondWei }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Bonded ${formatCai(report.amountWei)}; the bond is ${formatCai(report.bondWei)}.`)
    viewTransaction(report, screen)
  },
})
