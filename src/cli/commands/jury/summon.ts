import { z } from 'zod'
import { seatMissing } from '../../../errors/jury.ts'
import { getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { assertStage, caseArgs, getActingNode, loadCase } from '../../jury.ts'
import { getParty } from '../../party.ts'
import { zAddress, zBigint, zParty } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const jurySummon = defineCommand({
  description: `Writes down on the chain how many seats a node holds in the round that runs, so that no
change of its bond can undo them. Anybody may; committing does it too.`,
  examples: [
    { command: 'cuckoo jury summon 3', note: 'the own node' },
    { command: 'cuckoo jury summon 3 0x70997970c51812dc3a010c7d01b50e0d17dc79c8', note: "another's" },
  ],
  args: z.object({ ...caseArgs, node: zParty.optional().describe("the node's address, or an account of this machine; default: the own node") }),
  options: z.object(txOptions),
  output: zTxReport.extend({ caseId: zBigint, round: z.int(), node: zAddress, seats: z.int() }),
  async run({ args, options }, context) {
    const caseId = args.case
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const node = args.node === undefined ? await getActingNode(chain, signer.address) : await getParty(context, args.node)
    const [loaded, { nowAt }] = await Promise.all([loadCase(chain, caseId), getCourtClock(chain)])
    if (loaded.dispute.stage !== 'revealing') assertStage(loaded, 'committing', 'a summons', nowAt)
    const { round } = loaded.round
    const { seats } = await chain.getSeat(caseId, round, node)
    if (seats === 0) throw seatMissing({ caseId, round: round + 1, node })
    const report = await runTransaction(context, options, (tx) => chain.summonJuror(signer, { caseId, node }, tx))
    return { ...report, caseId, round, node, seats }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Written down: ${report.node} holds ${report.seats} ${report.seats === 1 ? 'seat' : 'seats'} in case ${report.caseId}.`)
    viewTransaction(report, screen)
  },
})
