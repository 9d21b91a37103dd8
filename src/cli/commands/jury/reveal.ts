import { z } from 'zod'
import type { Chain } from '../../../domain/chainPort.ts'
import type { Vote } from '../../../domain/dispute.ts'
import type { Address, Hash } from '../../../domain/hex.ts'
import { type BallotPlace, findVote, toJurorSalt } from '../../../domain/jurorSalt.ts'
import type { Signer } from '../../../domain/ports.ts'
import { committedByAnother, voteNotCommitted, voteRevealed } from '../../../errors/jury.ts'
import type { Context } from '../../context.ts'
import { getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { assertStage, caseArgs, getActingNode, loadCase, zVote } from '../../jury.ts'
import { zAddress, zBigint } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const juryReveal = defineCommand({
  description: `Reveals the vote that the own node committed to. The account finds it again if it is the one
that committed. Who does not reveal is fined, and inactive until it returns. A dry run
needs the key too.`,
  examples: [
    { command: 'cuckoo jury reveal 3', note: 'when the commitments are in' },
    { command: 'cuckoo jury reveal 3 --committed-by old-operator', note: 'the key was replaced in between' },
  ],
  args: z.object(caseArgs),
  options: z.object({
    ...txOptions,
    committedBy: z.string().optional().describe('account of this machine that committed, where it is another one').meta({ placeholder: 'account' }),
  }),
  output: zTxReport.extend({ caseId: zBigint, round: z.int(), node: zAddress, seats: z.int(), vote: zVote }),
  async run({ args, options }, context) {
    const caseId = args.case
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner()]
    const [loaded, { nowAt }, node] = await Promise.all([loadCase(chain, caseId), getCourtClock(chain), getActingNode(chain, signer.address)])
    assertStage(loaded, 'revealing', 'a reveal', nowAt)
    const { round } = loaded.round
    const seat = await chain.getSeat(caseId, round, node)
    if (seat.commitment === null) throw voteNotCommitted({ caseId, round: round + 1, node })
    if (seat.vote !== null) throw voteRevealed({ caseId, vote: seat.vote, node })
    const place = { court: chain.deployment.contracts.court, caseId, round, node }
    const committer = options.committedBy === undefined ? signer : await context.ports.getNamedSigner(options.committedBy)
    const { vote, salt } = await getBallot(context, chain, committer, place, seat.commitment)
    const report = await runTransaction(context, options, (tx) => chain.revealVote(signer, { caseId, node, vote, salt }, tx))
    return { ...report, caseId, round, node, seats: seat.seats, vote }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Revealed in case ${report.caseId}: ${report.vote}, ${report.seats} ${report.seats === 1 ? 'seat' : 'seats'}.`)
    viewTransaction(report, screen)
  },
})

/**
 * The vote and salt behind a commitment.
 * @throws CUCKOO_JURY_KEY_UNFIT when another key committed, naming which it can have been
 */
async function getBallot(context: Context<never>, chain: Chain, signer: Signer, place: BallotPlace, commitment: Hash): Promise<{ vote: Vote; salt: Hash }> {
  const { caseId, round, node } = place
  const salt = toJurorSalt(signer, chain.domainSeparator, place)
  const vote = findVote(commitment, (candidate) => chain.toVoteCommitment({ caseId, round, node, vote: candidate, salt }))
  if (vote !== undefined) return { vote, salt }
  const keys = [...new Set<Address>([node, ...(await chain.getOperators(node))])].filter((key) => key !== signer.address)
  const names = (await context.ports.accounts.list()).flatMap(({ name, address }) => (address !== null && keys.includes(address) ? [name] : []))
  throw committedByAnother({ caseId, account: signer.address, keys, names })
}
