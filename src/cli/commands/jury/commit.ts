import { z } from 'zod'
import { toJurorSalt } from '../../../domain/jurorSalt.ts'
import { seatMissing, voteCommitted } from '../../../errors/jury.ts'
import { getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatWhen } from '../../format.ts'
import { assertStage, caseArgs, getActingNode, loadCase, zVote } from '../../jury.ts'
import { zAddress, zBigint, zHash, zSeconds } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const juryCommit = defineCommand({
  description: `Commits the own node to a vote that nobody sees before \`jury reveal\`. A vote cannot be
changed. Nothing is kept on disk: the same account finds the vote again. A dry run needs
the key too, since the vote is hidden with a signature of it.`,
  examples: [
    { command: 'cuckoo jury status 3 --save case3', note: 'what there is to judge' },
    { command: 'cuckoo jury commit 3 invalid', note: "this output is not the model's" },
    { command: 'cuckoo jury commit 3 cannot-judge', note: 'earns nothing, costs nothing' },
  ],
  args: z.object({ ...caseArgs, vote: zVote.describe('on: this output is what this model gives for this input') }),
  options: z.object(txOptions),
  output: zTxReport.extend({
    caseId: zBigint,
    round: z.int(),
    node: zAddress,
    seats: z.int(),
    commitment: zHash,
    revealFrom: zSeconds.nullable(),
    revealUntil: zSeconds.nullable(),
    nowAt: zSeconds,
  }),
  async run({ args, options }, context) {
    const { case: caseId, vote } = args
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner()]
    const [loaded, { nowAt }, node] = await Promise.all([loadCase(chain, caseId), getCourtClock(chain), getActingNode(chain, signer.address)])
    assertStage(loaded, 'committing', 'a commitment', nowAt)
    const { round, commitEndsAt, revealEndsAt } = loaded.round
    const seat = await chain.getSeat(caseId, round, node)
    if (seat.seats === 0) throw seatMissing({ caseId, round: round + 1, node })
    if (seat.commitment !== null) throw voteCommitted({ caseId, round: round + 1, node })
    const salt = toJurorSalt(signer, chain.domainSeparator, { court: chain.deployment.contracts.court, caseId, round, node })
    const commitment = chain.toVoteCommitment({ caseId, round, node, vote, salt })
    const report = await runTransaction(context, options, (tx) => chain.commitVote(signer, { caseId, node, commitment }, tx))
    return { ...report, caseId, round, node, seats: seat.seats, commitment, revealFrom: commitEndsAt, revealUntil: revealEndsAt, nowAt }
  },
  view(report, screen) {
    const { caseId, revealFrom, revealUntil, nowAt } = report
    if (!report.dryRun) {
      screen.line(`Committed ${report.node} with ${report.seats} ${report.seats === 1 ? 'seat' : 'seats'} in case ${caseId}.`)
      screen.line(`Reveal with this account: \`${screen.program} jury reveal ${caseId}\``)
      if (revealFrom !== null) screen.line(`  from  ${formatWhen(revealFrom, nowAt)}`)
      if (revealUntil !== null) screen.line(`  until ${formatWhen(revealUntil, nowAt)}; who does not reveal is fined`)
    }
    viewTransaction(report, screen)
  },
})
