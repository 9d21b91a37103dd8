import { z } from 'zod'
import { formatAmount } from '../../domain/amount.ts'
import type { Chain } from '../../domain/chainPort.ts'
import type { Signer } from '../../domain/ports.ts'
import { walletTooLow } from '../../errors/chain.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai } from '../format.ts'
import { zAmountOrAll, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const stake = defineCommand({
  description: `Sends CAI to the staking contract, where it is free: it has no weight, carries no
risk, and can be withdrawn at any time. \`bond\` and \`vote\` put it to work.`,
  examples: [
    { command: 'cuckoo stake 25000', note: 'from the account in use' },
    { command: 'cuckoo stake all --account alice', note: 'all but what gas may cost' },
    { command: 'cuckoo stake 0.5 --dry-run', note: 'only what it would cost' },
  ],
  args: z.object({ amount: zAmountOrAll.describe('CAI, like 25000, 0.5 or 12wei; or all').meta({ placeholder: 'amount|all' }) }),
  options: z.object(txOptions),
  output: zTxReport.extend({ amountWei: zWei }),
  async run({ args, options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const amountWei = args.amount === 'all' ? await getAllButGas(chain, signer) : args.amount
    return { ...(await runTransaction(context, options, (tx) => chain.stake(signer, { amountWei }, tx))), amountWei }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Staked ${formatCai(report.amountWei)}: free, not yet at risk.`)
    viewTransaction(report, screen)
  },
})

/** What the wallet holds less twice the gas of staking, so that a later step can be paid too. */
async function getAllButGas(chain: Chain, signer: Signer): Promise<bigint> {
  const { walletWei } = await chain.getAccount(signer.address)
  const { feeWei } = await chain.stake(signer, { amountWei: 1n }, { dryRun: true })
  const amountWei = walletWei - 2n * feeWei
  const { network } = chain.deployment
  if (amountWei > 0n) return amountWei
  throw walletTooLow({
    account: signer.address,
    availableCai: formatAmount(walletWei),
    neededCai: formatAmount(2n * feeWei),
    feeCai: formatAmount(2n * feeWei),
    network,
  })
}
