import { z } from 'zod'
import type { Chain } from '../../../domain/chainPort.ts'
import type { DisputeRecord, SeatRecord } from '../../../domain/dispute.ts'
import type { Address } from '../../../domain/hex.ts'
import { nothingToDo } from '../../../errors/cli.ts'
import { type CourtClock, getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { caseArgs, findSeat, type LoadedCase, loadCase } from '../../jury.ts'
import { getParty } from '../../party.ts'
import { zAddress, zBigint, zParty } from '../../schemas.ts'
import { runSeries } from '../../transactionSeries.ts'
import { txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

const zWhy = z.enum(['silent', 'against'])

export const juryFine = defineCommand({
  description: `Fines jurors who did not reveal, or who voted against the final verdict: one transaction
each. Anybody may, until one thaw after the round. Without a node: everybody who can be.`,
  examples: [
    { command: 'cuckoo jury fine 3', note: 'everybody who can be fined' },
    { command: 'cuckoo jury fine 3 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --dry-run', note: 'one of them' },
  ],
  args: z.object({ ...caseArgs, node: zParty.optional().describe("the juror's address, or an account of this machine; default: all") }),
  options: z.object(txOptions),
  output: zTxReport.extend({ caseId: zBigint, round: z.int(), node: zAddress, seats: z.int(), why: zWhy }),
  async run({ args, options }, context) {
    const caseId = args.case
    const chain = await context.ports.getChain()
    const named = args.node === undefined ? undefined : await getParty(context, args.node)
    const [loaded, clock] = await Promise.all([loadCase(chain, caseId), getCourtClock(chain)])
    const fines = await listFines(chain, loaded, clock, named)
    if (fines.length === 0) {
      const what = named === undefined ? `Nobody can be fined in case ${caseId} now` : `${named} cannot be fined in case ${caseId} now`
      throw nothingToDo({ what, next: `Fines begin when a reveal window is over: \`cuckoo jury status ${caseId}\` shows when.` })
    }
    const signer = await context.ports.getSigner(options)
    const steps = fines.map(({ seat: { round, node, seats }, why }) => ({
      facts: { caseId, round, node, seats, why },
      send: (tx: Parameters<Chain['fineJuror']>[2]) => chain.fineJuror(signer, { caseId, round, node }, tx),
    }))
    await runSeries(context, options, steps, context.emit)
    return undefined
  },
  view(report, screen) {
    const why = report.why === 'silent' ? 'it did not reveal' : 'it voted against the verdict'
    if (!report.dryRun) screen.line(`Fined ${report.node} in round ${report.round + 1} of case ${report.caseId}: ${why}.`)
    viewTransaction(report, screen)
  },
})

interface Fine {
  seat: SeatRecord
  why: z.output<typeof zWhy>
}

/** Who can be fined now. A juror that has left the network since is found only by name: the list of miners is today's. */
async function listFines(chain: Chain, { dispute, rounds }: LoadedCase, clock: CourtClock, named: Address | undefined): Promise<Fine[]> {
  const running = rounds.filter(({ revealEndsAt }) => revealEndsAt !== null && revealEndsAt <= clock.nowAt && clock.nowAt <= revealEndsAt + clock.thawSeconds)
  const nodes = named === undefined ? (running.length === 0 ? [] : (await chain.getNodes('miner')).map(({ node }) => node)) : [named]
  const seats = await Promise.all(running.flatMap((round) => nodes.map((node) => findSeat(chain, dispute.caseId, round, node))))
  return seats.flatMap((seat) => {
    const why = seat === undefined ? undefined : findFault(dispute, seat)
    return seat === undefined || why === undefined ? [] : [{ seat, why }]
  })
}

function findFault({ stage, verdict }: DisputeRecord, { seats, fined, vote }: SeatRecord): Fine['why'] | undefined {
  if (seats === 0 || fined) return undefined
  if (vote === null) return 'silent'
  const isFinal = stage === 'closed' && (verdict === 'valid' || verdict === 'invalid')
  return isFinal && vote !== 'cannot-judge' && vote !== verdict ? 'against' : undefined
}
