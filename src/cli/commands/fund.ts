import { z } from 'zod'
import { defineCommand } from '../defineCommand.ts'
import { formatCai, formatCaiShort, formatWhen } from '../format.ts'
import { zAmount, zRole, zSeconds, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const fund = defineCommand({
  description: `Gives CAI of the account's wallet to the rewards of all miners or of all coordinators. It
flows evenly over a period (7 days on public chains). What comes while one runs waits for
the next, so nobody can stake just in time for it. It cannot be taken back.`,
  examples: [
    { command: 'cuckoo fund miner 10000', note: 'to all miners and their voters' },
    { command: 'cuckoo fund coordinator 500 --dry-run', note: 'only what it would do' },
  ],
  args: z.object({ role: zRole.describe('whose rewards'), amount: zAmount.describe('CAI').meta({ placeholder: 'amount' }) }),
  options: z.object(txOptions),
  output: zTxReport.extend({
    role: zRole,
    amountWei: zWei,
    startsAt: zSeconds.describe('when it begins to flow, about'),
    endsAt: zSeconds.describe('when the last of it has'),
    flowsWei: zWei.describe('in that time, with what waited before it'),
    blockTimestamp: zSeconds,
  }),
  async run({ args, options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const [stream, parameters, { latest }] = await Promise.all([chain.getStream(args.role), chain.getParameters(), chain.getBlocks()])
    const startsAt = Math.max(stream.endsAt, latest.timestamp)
    const flowsWei = stream.nextWei + args.amount
    if (!options.dryRun) await context.prompts.confirm(`Give ${formatCai(args.amount)} to the rewards of all ${args.role}s, for good?`)
    const report = await runTransaction(context, options, (tx) => chain.fund(signer, { role: args.role, amountWei: args.amount }, tx))
    const endsAt = startsAt + parameters.rewardSeconds
    return { ...report, role: args.role, amountWei: args.amount, startsAt, endsAt, flowsWei, blockTimestamp: latest.timestamp }
  },
  view(report, screen) {
    const now = report.blockTimestamp
    const starts = report.startsAt > now ? `From ${formatWhen(report.startsAt, now)}` : 'From now'
    if (!report.dryRun) screen.line(`Gave ${formatCai(report.amountWei)} to the rewards of all ${report.role}s.`)
    screen.line(`${starts} they share ${formatCaiShort(report.flowsWei)}, evenly until ${formatWhen(report.endsAt, now)}.`)
    viewTransaction(report, screen)
  },
})
