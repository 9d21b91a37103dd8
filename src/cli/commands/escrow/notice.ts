import { z } from 'zod'
import { nothingToDo } from '../../../errors/cli.ts'
import { defineCommand } from '../../defineCommand.ts'
import { getCoordinator } from '../../escrow.ts'
import { formatCai, formatWhen } from '../../format.ts'
import { getParty } from '../../party.ts'
import { zAddress, zAmount, zParty, zSeconds, zWei } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const escrowNotice = defineCommand({
  description: `Lowers the line of a miner, in two steps. With a cap it gives notice: one thaw later (7
days on public chains) vouchers count up to the cap only; until then up to the old one.
Without a cap it carries a notice that is over into the books: its cover is free then.
The cap is over all time, so it is never below what is redeemed.`,
  examples: [
    { command: 'cuckoo escrow notice 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 250', note: 'step 1: 250 CAI in all' },
    { command: 'cuckoo escrow notice 0x70997970c51812dc3a010c7d01b50e0d17dc79c8', note: 'step 2: when it is over' },
  ],
  args: z.object({
    miner: zParty.describe("the miner's address, or an account of this machine"),
    cap: zAmount.optional().describe('CAI over all time; none: carry out a notice that is over').meta({ placeholder: 'cap' }),
  }),
  options: z.object(txOptions),
  output: zTxReport.extend({
    coordinator: zAddress,
    miner: zAddress,
    capWei: zWei,
    at: zSeconds.describe('from then on the cap counts'),
    applied: z.boolean(),
    blockTimestamp: zSeconds,
  }),
  async run({ args, options }, context) {
    const miner = await getParty(context, args.miner)
    const { chain, coordinator } = await getCoordinator(context, undefined)
    const signer = await context.ports.getSigner(options)
    const [line, { thawSeconds }, { latest }] = await Promise.all([chain.getLine(coordinator, miner), chain.getParameters(), chain.getBlocks()])
    if (args.cap === undefined) {
      if (line.notice === null)
        throw nothingToDo({ what: `There is no notice on the line of ${miner}`, next: 'Give one: `cuckoo escrow notice <miner> <cap>`.' })
      const { capWei, at } = line.notice
      if (at > latest.timestamp) throw nothingToDo({ what: `The notice to ${miner} is over on ${formatWhen(at, latest.timestamp)}`, next: 'Try again then.' })
      const report = await runTransaction(context, options, (tx) => chain.applyNotice(signer, { coordinator, miner }, tx))
      return { ...report, coordinator, miner, capWei, at, applied: true, blockTimestamp: latest.timestamp }
    }
    const capWei = args.cap
    if (capWei < line.redeemedWei || capWei >= line.capWei) {
      throw nothingToDo({
        what: `The cap of ${miner} can sink from ${formatCai(line.capWei)} to ${formatCai(line.redeemedWei)}, which is redeemed, not to ${formatCai(capWei)}`,
        next: 'To raise it: `cuckoo escrow raise <miner> <amount>`.',
      })
    }
    const report = await runTransaction(context, options, (tx) => chain.noticeLine(signer, { coordinator, miner, capWei }, tx))
    return { ...report, coordinator, miner, capWei, at: latest.timestamp + thawSeconds, applied: false, blockTimestamp: latest.timestamp }
  },
  view(report, screen) {
    if (!report.dryRun && report.applied) screen.line(`The cap of ${report.miner} is ${formatCai(report.capWei)}; what it bound is free.`)
    if (!report.applied) {
      const when = formatWhen(report.at, report.blockTimestamp)
      if (!report.dryRun) screen.line(`Gave notice to ${report.miner}: ${formatCai(report.capWei)} in all from ${when}.`)
      screen.line(`Next: \`${screen.program} escrow notice ${report.miner}\` after that frees what the line binds.`)
    }
    viewTransaction(report, screen)
  },
})
