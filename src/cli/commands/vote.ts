import { z } from 'zod'
import { formatDuration } from '../../config/duration.ts'
import type { NodeRecord } from '../../domain/node.ts'
import { nothingToDo } from '../../errors/cli.ts'
import { nodeNotRegistered } from '../../errors/staking.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai } from '../format.ts'
import { getParty } from '../party.ts'
import { zAddress, zAmountOrAll, zBigint, zParty, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'
import { getVotePreview, viewVotePreview, zVotePreview } from '../votePreview.ts'

export const vote = defineCommand({
  description: `Moves free CAI into the votes of a node: it adds to the node's weight, shares its
income, and shares its risk. Before it sends, it says what can be lost; --dry-run shows
the node's record and the yearly yield at today's rate too.`,
  examples: [
    { command: 'cuckoo vote 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 500', note: '500 CAI' },
    { command: 'cuckoo vote 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 500 --dry-run', note: 'what it would risk and earn' },
    { command: 'cuckoo nodes', note: 'whom to vote for' },
  ],
  args: z.object({
    node: zParty.describe("the node's address, or an account of this machine"),
    amount: zAmountOrAll.describe('CAI of what is free, or all').meta({ placeholder: 'amount|all' }),
  }),
  options: z.object(txOptions),
  output: zTxReport.extend({
    node: zAddress,
    amountWei: zWei,
    minShares: zBigint,
    risk: z.string(),
    preview: zVotePreview.nullable().describe('with --dry-run'),
  }),
  async run({ args, options }, context) {
    const node = await getParty(context, args.node)
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const [record, account, { thawSeconds }] = await Promise.all([chain.getNode(node), chain.getAccount(signer.address), chain.getParameters()])
    const amountWei = args.amount === 'all' ? account.freeWei : args.amount
    if (args.amount === 'all' && amountWei === 0n) throw nothingToDo({ what: 'Nothing is free', next: 'Stake first: `cuckoo stake <amount>`.' })
    const { role } = record
    if (role === 'none') throw nodeNotRegistered({ node })
    const risk = `If this node loses a part of its bond to a slash, your votes lose a tenth of that part, 2 % at most. Leaving takes ${formatDuration(thawSeconds)}, in which a slash still counts.`
    context.output.note(risk)
    const preview = options.dryRun ? await getVotePreview(chain, { ...record, role }, amountWei) : null
    if (!options.dryRun) await context.prompts.confirm(`Vote ${formatCai(amountWei)} for ${record.profile?.name ?? node}?`)
    const minShares = toMinShares(record, amountWei)
    const report = await runTransaction(context, options, (tx) => chain.vote(signer, { node, amountWei, minShares }, tx))
    return { ...report, node, amountWei, minShares, risk, preview }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Voted ${formatCai(report.amountWei)} for ${report.node}.`)
    if (report.preview !== null) viewVotePreview(report.preview, screen)
    viewTransaction(report, screen)
  },
})

/** Shares that the amount buys at the pool's present price, less 1 % for a price that moves in between. */
function toMinShares(node: Pick<NodeRecord, 'votesWei' | 'voteShares'>, amountWei: bigint): bigint {
  return node.votesWei === 0n ? 0n : (((amountWei * node.voteShares) / node.votesWei) * 99n) / 100n
}
