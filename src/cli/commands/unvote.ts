import { z } from 'zod'
import type { VotePosition } from '../../domain/chainPort.ts'
import { nothingToDo } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai, formatWhen } from '../format.ts'
import { getParty } from '../party.ts'
import { zAddress, zAmountOrAll, zBigint, zParty, zSeconds, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const unvote = defineCommand({
  description: `Starts the thaw of votes, whatever state the node is in. They lose their weight at once,
stay slashable until the thaw is over (7 days on public chains), and can then be
withdrawn.`,
  examples: [
    { command: 'cuckoo unvote 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 100', note: '100 CAI' },
    { command: 'cuckoo unvote 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 all', note: 'everything' },
  ],
  args: z.object({
    node: zParty.describe("the node's address, or an account of this machine"),
    amount: zAmountOrAll.describe('CAI, or all').meta({ placeholder: 'amount|all' }),
  }),
  options: z.object(txOptions),
  output: zTxReport.extend({
    node: zAddress,
    amountWei: zWei,
    shares: zBigint,
    thawSeconds: zSeconds,
    releaseAt: zSeconds.describe('about; `cuckoo status` has the exact second'),
  }),
  async run({ args, options }, context) {
    const node = await getParty(context, args.node)
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const [account, { thawSeconds }] = await Promise.all([chain.getAccount(signer.address), chain.getParameters()])
    const position = account.votes.find((vote) => vote.node === node)
    if (position === undefined) throw nothingToDo({ what: `This account has no votes for ${node}`, next: '`cuckoo status` lists its votes.' })
    if (args.amount !== 'all' && args.amount > position.amountWei) {
      throw nothingToDo({
        what: `This account has ${formatCai(position.amountWei)} of votes for ${node}, not ${formatCai(args.amount)}`,
        next: '`cuckoo unvote <node> all` takes out everything.',
      })
    }
    const { shares, amountWei } = toShares(position, args.amount)
    // 1 % below today's worth: only a slash in between takes more, and then one wants to look again.
    const input = { node, shares, minAmountWei: (amountWei * 99n) / 100n }
    const report = await runTransaction(context, options, (tx) => chain.unvote(signer, input, tx))
    return { ...report, node, amountWei, shares, thawSeconds, releaseAt: account.blockTimestamp + thawSeconds }
  },
  view(report, screen) {
    if (!report.dryRun)
      screen.line(`${formatCai(report.amountWei)} of votes thaws until ${formatWhen(report.releaseAt, report.releaseAt - report.thawSeconds)}.`)
    viewTransaction(report, screen)
  },
})

/** Shares that are worth `amount`, rounded up. */
function toShares(position: VotePosition, amount: bigint | 'all'): { shares: bigint; amountWei: bigint } {
  if (amount === 'all' || position.amountWei === 0n) return { shares: position.shares, amountWei: position.amountWei }
  return { shares: (amount * position.shares + position.amountWei - 1n) / position.amountWei, amountWei: amount }
}
