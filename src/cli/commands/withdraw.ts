import { z } from 'zod'
import type { AccountRecord } from '../../domain/chainPort.ts'
import { nothingToDo } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai, formatWhen } from '../format.ts'
import { getParty } from '../party.ts'
import { zAddress, zAmountOrAll, zParty, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

// Gas grows with each thaw: 200 of them stay far below a block's limit.
const maxThaws = 200

export const withdraw = defineCommand({
  description: `Takes CAI out of the staking contract: thaws that are over first become free, then free
CAI is paid out. What still thaws stays; \`cuckoo status\` shows until when.`,
  examples: [
    { command: 'cuckoo withdraw', note: 'all that is free or released' },
    { command: 'cuckoo withdraw 100 --to 0x…', note: '100 CAI to another address' },
  ],
  args: z.object({ amount: zAmountOrAll.default('all').describe('CAI, or all').meta({ placeholder: 'amount|all' }) }),
  options: z.object({ ...txOptions, to: zParty.optional().describe('address that gets it; default: the account').meta({ placeholder: 'address' }) }),
  output: zTxReport.extend({ amountWei: zWei, releasedWei: zWei, releasedThaws: z.int(), recipient: zAddress }),
  async run({ args, options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const recipient = options.to === undefined ? signer.address : await getParty(context, options.to)
    const account = await chain.getAccount(signer.address)
    const released = account.thaws.filter(({ releaseAt }) => releaseAt <= account.blockTimestamp).slice(0, maxThaws)
    const releasedWei = released.reduce((sum, { amountWei }) => sum + amountWei, 0n)
    const amountWei = args.amount === 'all' ? account.freeWei + releasedWei : args.amount
    const availableWei = account.freeWei + releasedWei
    if (availableWei === 0n || amountWei > availableWei) {
      const what = availableWei === 0n ? 'Nothing is free or released' : `Only ${formatCai(availableWei)} can be withdrawn now, not ${formatCai(amountWei)}`
      throw nothingToDo({ what, next: describeNext(account) })
    }
    const input = { thawIds: released.map(({ id }) => id), freeWei: args.amount, to: recipient }
    const report = await runTransaction(context, options, (tx) => chain.withdraw(signer, input, tx))
    return { ...report, amountWei, releasedWei, releasedThaws: released.length, recipient }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Withdrew ${formatCai(report.amountWei)} to ${report.recipient}.`)
    viewTransaction(report, screen)
  },
})

/** Where more comes from: the next thaw that is under way, or how to start one. */
function describeNext({ thaws, blockTimestamp }: AccountRecord): string {
  const [next] = thaws
    .map(({ releaseAt }) => releaseAt)
    .filter((releaseAt) => releaseAt > blockTimestamp)
    .sort((left, right) => left - right)
  return next === undefined ? '`cuckoo unbond` and `cuckoo unvote` start a thaw.' : `The next thaw is over on ${formatWhen(next, blockTimestamp)}.`
}
