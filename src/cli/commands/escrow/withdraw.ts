import { z } from 'zod'
import { formatDuration } from '../../../config/duration.ts'
import type { Chain, TxOptions, TxReport } from '../../../domain/chainPort.ts'
import type { EscrowRecord } from '../../../domain/payments.ts'
import type { Signer } from '../../../domain/ports.ts'
import { nothingToDo } from '../../../errors/cli.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { toCoveringBond, toSpareCover, toStandingEscrow } from '../../escrow.ts'
import { formatCai, formatWhen } from '../../format.ts'
import { getParty } from '../../party.ts'
import { zAddress, zAmountOrAll, zParty, zSeconds, zWei } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

const zTaken = z.object({ amountWei: zWei, recipient: zAddress, transaction: zTxReport })
const zAsked = z.object({ amountWei: zWei, thawingWei: zWei.describe('all that is asked back'), releaseAt: zSeconds, transaction: zTxReport })

export const escrowWithdraw = defineCommand({
  description: `Takes escrow of the own coordinator back, in two steps. With an amount it asks back: the
amount thaws (7 days on public chains), and pays vouchers until it is taken. Without an
amount it takes out what was asked back and has thawed. What open lines need stays.`,
  examples: [
    { command: 'cuckoo escrow withdraw 500', note: 'step 1: ask 500 CAI back' },
    { command: 'cuckoo escrow withdraw all', note: 'step 1: all that lines leave' },
    { command: 'cuckoo escrow withdraw', note: 'step 2: take it out' },
  ],
  args: z.object({ amount: zAmountOrAll.optional().describe('CAI to ask back, or all; none: take out').meta({ placeholder: 'amount|all' }) }),
  options: z.object({ ...txOptions, to: zParty.optional().describe('address that gets it; default: the account').meta({ placeholder: 'address' }) }),
  output: z.object({ coordinator: zAddress, taken: zTaken.nullable(), asked: zAsked.nullable(), blockTimestamp: zSeconds }),
  async run({ args, options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const recipient = options.to === undefined ? signer.address : await getParty(context, options.to)
    const [escrow, record, { thawSeconds }, { latest }] = await Promise.all([
      chain.getEscrow(signer.address),
      chain.getNode(signer.address),
      chain.getParameters(),
      chain.getBlocks(),
    ])
    const isReleased = escrow.thawingWei > 0n && escrow.releaseAt !== null && escrow.releaseAt <= latest.timestamp
    const askedWei = args.amount === undefined ? null : toAsked(escrow, toCoveringBond(record), args.amount)
    if (askedWei === null && !isReleased) throw describeNothing(escrow, latest.timestamp)
    const taken = isReleased ? await takeOut({ chain, signer, recipient, amountWei: min(escrow.thawingWei, escrow.escrowWei) }, context, options) : null
    const asked = askedWei === null ? null : await askBack({ chain, signer, amountWei: askedWei }, isReleased ? 0n : escrow.thawingWei, context, options)
    return { coordinator: signer.address, taken, asked: asked && { ...asked, releaseAt: latest.timestamp + thawSeconds }, blockTimestamp: latest.timestamp }
  },
  view({ taken, asked, blockTimestamp }, screen) {
    if (taken !== null) {
      if (!taken.transaction.dryRun) screen.line(`Took ${formatCai(taken.amountWei)} of escrow out, to ${taken.recipient}.`)
      viewTransaction(taken.transaction, screen)
    }
    if (asked !== null) {
      const when = formatWhen(asked.releaseAt, blockTimestamp)
      if (!asked.transaction.dryRun) screen.line(`Asked ${formatCai(asked.amountWei)} back. ${formatCai(asked.thawingWei)} thaws until ${when}.`)
      viewTransaction(asked.transaction, screen)
      screen.line(`Next: \`${screen.program} escrow withdraw\` after that takes out what vouchers have left of it.`)
    }
  },
})

const min = (left: bigint, right: bigint) => (left < right ? left : right)

type Send = { chain: Chain; signer: Signer; amountWei: bigint }
type Flags = { dryRun: boolean; waitFinality: boolean }

async function takeOut(
  { chain, signer, recipient, amountWei }: Send & { recipient: TxReport['from'] },
  context: Context<never>,
  flags: Flags,
): Promise<z.output<typeof zTaken>> {
  const transaction = await runTransaction(context, flags, (tx: TxOptions) => chain.withdrawEscrow(signer, { to: recipient }, tx))
  return { amountWei, recipient, transaction }
}

async function askBack(
  { chain, signer, amountWei }: Send,
  thawingWei: bigint,
  context: Context<never>,
  flags: Flags,
): Promise<Omit<z.output<typeof zAsked>, 'releaseAt'>> {
  // The contract has one thaw per coordinator: a second request starts the first one's anew.
  if (thawingWei > 0n && !flags.dryRun) {
    const { thawSeconds } = await chain.getParameters()
    await context.prompts.confirm(`${formatCai(thawingWei)} asked back before will thaw anew, for ${formatDuration(thawSeconds)}. Go on?`)
  }
  const transaction = await runTransaction(context, flags, (tx: TxOptions) => chain.requestEscrow(signer, { amountWei }, tx))
  return { amountWei, thawingWei: thawingWei + amountWei, transaction }
}

/** @throws CUCKOO_CLI_NOTHING_TO_DO when lines leave less than is asked, or nothing */
function toAsked(escrow: EscrowRecord, bondWei: bigint, amount: bigint | 'all'): bigint {
  const mostWei = min(toStandingEscrow(escrow), toSpareCover(escrow, bondWei))
  if (amount !== 'all' && amount > 0n && amount <= mostWei) return amount
  if (amount === 'all' && mostWei > 0n) return mostWei
  if (escrow.escrowWei === 0n) throw nothingToDo({ what: 'There is no escrow to ask back', next: '`cuckoo escrow show` shows it.' })
  throw nothingToDo({
    what: `Of the escrow of ${formatCai(escrow.escrowWei)}, ${formatCai(mostWei)} can be asked back: ${formatCai(escrow.thawingWei)} is asked back already, and lines of ${formatCai(escrow.openWei)} need the rest, with half the bond`,
    next: 'Lower lines with `cuckoo escrow notice <miner> <cap>`; `cuckoo escrow lines` lists them.',
  })
}

function describeNothing({ thawingWei, releaseAt }: EscrowRecord, now: number) {
  return thawingWei > 0n && releaseAt !== null
    ? nothingToDo({ what: `Nothing can be taken out yet: ${formatCai(thawingWei)} thaws until ${formatWhen(releaseAt, now)}`, next: 'Try again then.' })
    : nothingToDo({ what: 'Nothing is asked back', next: 'Ask first: `cuckoo escrow withdraw <amount|all>`.' })
}
