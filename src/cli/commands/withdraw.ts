import { z } from 'zod'
import type { AccountRecord, Chain, Thaw, TxReport } from '../../domain/chainPort.ts'
import type { Address } from '../../domain/hex.ts'
import { nothingToDo } from '../../errors/cli.ts'
import { type CuckooError, isError } from '../../errors/cuckooError.ts'
import { exitFrozen } from '../../errors/staking.ts'
import type { Context } from '../context.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai, formatTime, formatWhen } from '../format.ts'
import { getParty } from '../party.ts'
import { zAddress, zAmountOrAll, zParty, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

// Gas grows with each thaw: 200 of them stay far below a block's limit.
const maxThaws = 200

export const withdraw = defineCommand({
  description: `Takes CAI out of the staking contract: thaws that are over first become free, then free
CAI is paid out. What still thaws stays; \`cuckoo status\` shows until when. Open disputes
about a node can hold its bond for a while, as much of it as they could take.`,
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
    const releasedWei = sumOf(released)
    const amountWei = args.amount === 'all' ? account.freeWei + releasedWei : args.amount
    const availableWei = account.freeWei + releasedWei
    if (availableWei === 0n || amountWei > availableWei) {
      const what = availableWei === 0n ? 'Nothing is free or released' : `Only ${formatCai(availableWei)} can be withdrawn now, not ${formatCai(amountWei)}`
      throw nothingToDo({ what, next: describeNext(account) })
    }
    const send = async (thaws: readonly Thaw[]) => {
      if (args.amount !== 'all' && args.amount > account.freeWei + sumOf(thaws)) return undefined
      const input = { thawIds: thaws.map(({ id }) => id), freeWei: args.amount, to: recipient }
      return runTransaction(context, options, (tx) => chain.withdraw(signer, input, tx))
    }
    const { report, thaws } = await sendUnheld(context, released, account.freeWei, send)
    const leftWei = report.dryRun ? 0n : await getHeld(chain, signer.address, thaws)
    if (leftWei > 0n) context.output.warn(`open disputes hold ${formatCai(leftWei)} of bond: it stays for now`)
    const leavesWei = sumOf(thaws) - leftWei
    return {
      ...report,
      amountWei: args.amount === 'all' ? account.freeWei + leavesWei : amountWei,
      releasedWei: leavesWei,
      releasedThaws: thaws.length,
      recipient,
    }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Withdrew ${formatCai(report.amountWei)} to ${report.recipient}.`)
    viewTransaction(report, screen)
  },
})

function sumOf(thaws: readonly Thaw[]): bigint {
  return thaws.reduce((sum, { amountWei }) => sum + amountWei, 0n)
}

/**
 * Sends with every exit that open disputes do not hold whole: the contract names those, one at a time, before anything is sent.
 * @throws CUCKOO_STAKING_EXIT_FROZEN when without the held ones nothing, or less than was asked, would be left
 */
async function sendUnheld(
  context: Context<never>,
  thaws: readonly Thaw[],
  freeWei: bigint,
  send: (thaws: readonly Thaw[]) => Promise<TxReport | undefined>,
): Promise<{ report: TxReport; thaws: readonly Thaw[] }> {
  let refusal: CuckooError | undefined
  let rest = thaws
  for (;;) {
    try {
      const report = refusal !== undefined && freeWei + sumOf(rest) === 0n ? undefined : await send(rest)
      if (report === undefined) throw refusal
      return { report, thaws: rest }
    } catch (error) {
      const held = isError(error, exitFrozen) ? rest.find(({ id }) => id === error.facts['id']) : undefined
      if (held === undefined) throw error
      refusal = error as CuckooError
      context.output.warn(`open disputes hold ${formatCai(held.amountWei)} of bond until ${formatTime(Number(refusal.facts['until']))}: it stays for now`)
      rest = rest.filter((thaw) => thaw !== held)
    }
  }
}

/** What is still there of exits that were withdrawn: a freeze can hold a part of one. Only exits of bond can be held. */
async function getHeld(chain: Chain, account: Address, thaws: readonly Thaw[]): Promise<bigint> {
  const ids = new Set(thaws.filter(({ kind }) => kind === 'bond').map(({ id }) => id))
  if (ids.size === 0) return 0n
  return sumOf((await chain.getAccount(account)).thaws.filter(({ id }) => ids.has(id)))
}

/** Where more comes from: the next thaw that is under way, or how to start one. */
function describeNext({ thaws, blockTimestamp }: AccountRecord): string {
  const [next] = thaws
    .map(({ releaseAt }) => releaseAt)
    .filter((releaseAt) => releaseAt > blockTimestamp)
    .sort((left, right) => left - right)
  return next === undefined ? '`cuckoo unbond` and `cuckoo unvote` start a thaw.' : `The next thaw is over on ${formatWhen(next, blockTimestamp)}.`
}
