import { z } from 'zod'
import { nothingToDo } from '../../../errors/cli.ts'
import { defineCommand } from '../../defineCommand.ts'
import { getCoordinator, toSpareCover, toStandingEscrow } from '../../escrow.ts'
import { formatCai } from '../../format.ts'
import { getParty } from '../../party.ts'
import { zAddress, zAmount, zParty, zWei } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const escrowRaise = defineCommand({
  description: `Raises the line of a miner, or opens it: how much the miner can redeem. The owner may
commit escrow and half the bond to lines, less what claims keep of it, the operator escrow alone. A notice on the
line is withdrawn by it.`,
  examples: [{ command: 'cuckoo escrow raise 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 100', note: '100 CAI more' }],
  args: z.object({
    miner: zParty.describe("the miner's address, or an account of this machine"),
    amount: zAmount.describe('CAI to add').meta({ placeholder: 'amount' }),
  }),
  options: z.object(txOptions),
  output: zTxReport.extend({ coordinator: zAddress, miner: zAddress, addedWei: zWei, lineWei: zWei.describe('what the miner can redeem then') }),
  async run({ args, options }, context) {
    const miner = await getParty(context, args.miner)
    const { chain, coordinator, record } = await getCoordinator(context, undefined)
    const signer = await context.ports.getSigner(options)
    const [escrow, line] = await Promise.all([chain.getEscrow(coordinator), chain.getLine(coordinator, miner)])
    const isOwner = signer.address === coordinator
    const spareWei = toSpareCover(escrow, isOwner ? record.bondWei : 0n)
    if (args.amount > spareWei) {
      throw nothingToDo({
        what: `Lines of ${formatCai(escrow.openWei)} may rise by ${formatCai(spareWei)}, not ${formatCai(args.amount)}: there ${isOwner ? `are ${formatCai(toStandingEscrow(escrow))} of escrow and half the bond, less what claims keep` : `is ${formatCai(toStandingEscrow(escrow))} of escrow, and an operator may not commit the bond`}`,
        next: `Add escrow: \`cuckoo escrow deposit <amount>\`${isOwner ? '.' : ", or use the owner's account."}`,
      })
    }
    const lines = [{ miner, addedWei: args.amount }]
    const report = await runTransaction(context, options, (tx) => chain.raiseLines(signer, { coordinator, lines }, tx))
    return { ...report, coordinator, miner, addedWei: args.amount, lineWei: line.lineWei + args.amount }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`${report.miner} can redeem ${formatCai(report.lineWei)} now, ${formatCai(report.addedWei)} more than before.`)
    viewTransaction(report, screen)
  },
})
