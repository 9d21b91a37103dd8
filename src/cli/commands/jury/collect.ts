import { z } from 'zod'
import type { Chain, TxOptions } from '../../../domain/chainPort.ts'
import type { CreditRecord, DisputeRecord, SeatRecord } from '../../../domain/dispute.ts'
import type { Address } from '../../../domain/hex.ts'
import type { Signer } from '../../../domain/ports.ts'
import { nothingToDo } from '../../../errors/cli.ts'
import type { Context } from '../../context.ts'
import { getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatCai, formatWhen } from '../../format.ts'
import { findActingNode } from '../../jury.ts'
import { getParty } from '../../party.ts'
import { zAddress, zBigint, zParty, zWei } from '../../schemas.ts'
import { runSeries, type Step } from '../../transactionSeries.ts'
import { txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const juryCollect = defineCommand({
  description: `Collects what the court owes: credits the own node's pay for closed cases, then takes out
credits (pay, returned bonds) and the released parts of slashes that the account reported.
One transaction each. Pay goes to the node's owner: only the owner's account takes it out.`,
  examples: [
    { command: 'cuckoo jury collect', note: 'to the account itself' },
    { command: 'cuckoo jury collect --to 0x… --dry-run', note: 'what there is' },
  ],
  args: z.object({}),
  options: z.object({ ...txOptions, to: zParty.optional().describe('address that gets it; default: the account').meta({ placeholder: 'address' }) }),
  output: zTxReport.extend({
    step: z.enum(['pay', 'credits', 'cut']),
    caseId: zBigint.nullable(),
    amountWei: zWei.nullable().describe('null where the contract works it out'),
    recipient: zAddress,
  }),
  async run({ options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const to = options.to === undefined ? signer.address : await getParty(context, options.to)
    const node = await findActingNode(chain, signer.address)
    const pays = node === undefined ? [] : await listPays(chain, signer, node)
    const sent = await runSeries(context, options, pays, context.emit)
    // Read after the pay was credited, so that one command takes out all of it.
    const [credits, { nowAt }] = await Promise.all([chain.getCredits(signer.address), getCourtClock(chain)])
    const payouts = toPayouts(chain, signer, credits, to, nowAt)
    if (sent + payouts.length === 0)
      throw nothingToDo({ what: `The court holds nothing for ${signer.address} that is due`, next: describeNext(credits, nowAt) })
    await runSeries(context, options, payouts, context.emit)
    noteOwner(context, sent, node, signer)
    return undefined
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(describeStep(report))
    viewTransaction(report, screen)
  },
})

interface Facts {
  step: 'pay' | 'credits' | 'cut'
  caseId: bigint | null
  amountWei: bigint | null
  recipient: Address
}

function describeStep({ step, caseId, amountWei, recipient }: Facts): string {
  if (step === 'pay') return `Credited the pay for case ${caseId} to ${recipient}.`
  const amount = amountWei === null ? '' : `${formatCai(amountWei)} `
  return step === 'credits' ? `Took out ${amount}of credits to ${recipient}.` : `Took out ${amount}of the slash in case ${caseId} to ${recipient}.`
}

/** What is still to be credited to `node`: its coherent, unpaid seats of closed cases. */
async function listPays(chain: Chain, signer: Signer, node: Address): Promise<Step<Facts>[]> {
  const ballots = await chain.listBallots(node)
  const seats = await Promise.all(
    ballots.map(async ({ caseId, round }) => ({ dispute: await chain.getDispute(caseId), seat: await chain.getSeat(caseId, round, node) })),
  )
  return seats.filter(isPayable).map(({ seat: { caseId, round } }) => ({
    facts: { step: 'pay', caseId, amountWei: null, recipient: node },
    send: (tx: TxOptions) => chain.creditJuror(signer, { caseId, round, node }, tx),
  }))
}

/** The rule of ICourt: voted as the case ended; in an undecided case, valid or invalid. */
function isPayable({ dispute, seat }: { dispute: DisputeRecord; seat: SeatRecord }): boolean {
  if (dispute.stage !== 'closed' || seat.paid || seat.seats === 0) return false
  if (dispute.verdict === 'undecided') return seat.vote === 'valid' || seat.vote === 'invalid'
  return seat.vote === dispute.verdict
}

function toPayouts(chain: Chain, signer: Signer, { creditWei, cuts }: CreditRecord, to: Address, nowAt: number): Step<Facts>[] {
  const released = cuts.filter(({ releaseAt }) => releaseAt <= nowAt)
  const credits: Step<Facts> = {
    facts: { step: 'credits', caseId: null, amountWei: creditWei, recipient: to },
    send: (tx) => chain.withdrawCredits(signer, { to }, tx),
  }
  return [
    ...(creditWei > 0n ? [credits] : []),
    ...released.map(
      ({ caseId, amountWei }): Step<Facts> => ({
        facts: { step: 'cut', caseId, amountWei, recipient: to },
        send: (tx) => chain.withdrawCut(signer, { caseId, to }, tx),
      }),
    ),
  ]
}

/** When the next part of a slash is released. */
function describeNext({ cuts }: CreditRecord, nowAt: number): string {
  const [next] = [...cuts].sort((left, right) => left.releaseAt - right.releaseAt)
  if (next === undefined) return '`cuckoo jury status` lists the open cases; pay comes when one is closed.'
  return `${formatCai(next.amountWei)} of case ${next.caseId} are released on ${formatWhen(next.releaseAt, nowAt)}.`
}

/** An operator may credit, but what it credits is its owner's. */
function noteOwner(context: Context<never>, sent: number, node: Address | undefined, signer: Signer): void {
  if (sent > 0 && node !== signer.address) context.output.note(`The pay is the owner's: take it out with the account of ${node}.`)
}
