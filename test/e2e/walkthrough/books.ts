import { createPublicClient, http } from 'viem'
import { courtAbi, paymentsAbi, stakingAbi } from '../../../src/chain/contracts.generated.ts'
import { formatAmount } from '../../../src/domain/amount.ts'
import type { Address, Hash } from '../../../src/domain/hex.ts'
import type { Stage } from './stage.ts'
import { toCai } from './stage.ts'

/** What every account came out with, in wei, and what is left in the contracts. */
export interface Books {
  accounts: { name: string; finalWei: bigint; gasWei: bigint; gainWei: bigint }[]
  poolWei: bigint
  dustWei: bigint
}

const startWei = 5_000_000n * 10n ** 18n

/**
 * Balances the books to the wei: each account has what it began with, less gas and what it paid, plus what the contracts say
 * they paid it; the contracts hold the reward pool and rounding dust and nothing else.
 * @param mostWeightWei weight of all nodes when there were most: what a division of rewards leaves for the next is below 2^-72 of it
 */
export async function assertBooks(stage: Stage, mostWeightWei: bigint): Promise<Books> {
  stage.scene('The books')
  const ledger = await readLedger(stage)
  const accounts: Books['accounts'] = []
  for (const { name, address } of stage.accounts) {
    const finalWei = BigInt(await stage.rpc<string>('eth_getBalance', [address, 'latest']))
    const { gasWei, sentWei, receivedWei } = ledger.get(address) ?? { gasWei: 0n, sentWei: 0n, receivedWei: 0n }
    const expectedWei = startWei - gasWei - sentWei + receivedWei
    if (finalWei !== expectedWei) throw new Error(`${name} has ${finalWei} wei, and the contracts' events make it ${expectedWei}`)
    accounts.push({ name, finalWei, gasWei, gainWei: receivedWei - sentWei })
    stage.say(`${name.padEnd(20)} ${formatAmount(finalWei).padStart(28)} CAI  (${formatGain(receivedWei - sentWei)} beside gas)`)
    await assertNothingLeft(stage, name, address)
  }
  const { poolWei, dustWei } = await assertContracts(stage, mostWeightWei)
  const gainWei = accounts.reduce((sum, account) => sum + account.gainWei, 0n)
  // What one side lost, the other has, or the pool has it.
  if (gainWei + poolWei + dustWei !== 0n) throw new Error(`the accounts' gains ${gainWei}, the pool ${poolWei} and dust ${dustWei} do not add up to 0`)
  return { accounts, poolWei, dustWei }
}

function formatGain(wei: bigint): string {
  return `${wei < 0n ? '' : '+'}${formatAmount(wei)} CAI`
}

interface Entry {
  gasWei: bigint
  /** value sent to the contracts */
  sentWei: bigint
  /** what the contracts' events say they paid out to it */
  receivedWei: bigint
}

async function readLedger(stage: Stage): Promise<Map<Address, Entry>> {
  const client = createPublicClient({ transport: http(stage.rpcUrl) })
  const ledger = new Map<Address, Entry>()
  const entryOf = (address: string): Entry => {
    const key = address.toLowerCase() as Address
    const entry = ledger.get(key) ?? { gasWei: 0n, sentWei: 0n, receivedWei: 0n }
    ledger.set(key, entry)
    return entry
  }
  const last = await client.getBlockNumber()
  for (let number = 1n; number <= last; number++) {
    const block = await client.getBlock({ blockNumber: number, includeTransactions: true })
    for (const transaction of block.transactions) {
      const { gasUsed, effectiveGasPrice, status } = await client.getTransactionReceipt({ hash: transaction.hash as Hash })
      const entry = entryOf(transaction.from)
      entry.gasWei += gasUsed * effectiveGasPrice
      if (status === 'success') entry.sentWei += transaction.value
    }
  }
  const { staking, payments, court } = stage.chain.deployment.contracts
  const range = { fromBlock: 0n, toBlock: last, strict: true } as const
  const paid = await Promise.all([
    client.getContractEvents({ address: staking, abi: stakingAbi, eventName: 'Withdrawn', ...range }),
    client.getContractEvents({ address: payments, abi: paymentsAbi, eventName: 'EscrowWithdrawn', ...range }),
    client.getContractEvents({ address: court, abi: courtAbi, eventName: 'CreditWithdrawn', ...range }),
  ])
  for (const { args } of paid.flat()) entryOf(args.to).receivedWei += args.amountWei
  return ledger
}

async function assertNothingLeft(stage: Stage, name: string, address: Address): Promise<void> {
  const { freeWei, bondWei, votes, thaws, rewardsWei, credits } = await stage.chain.getAccount(address)
  const { escrowWei } = await stage.chain.getEscrow(address)
  const left = freeWei + bondWei + rewardsWei + escrowWei + credits.creditWei + BigInt(votes.length + thaws.length + credits.cuts.length)
  if (left !== 0n)
    throw new Error(
      `${name} still has something in the contracts: ${JSON.stringify({ freeWei, bondWei, votes, thaws, rewardsWei, escrowWei, credits }, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
    )
}

async function assertContracts(stage: Stage, mostWeightWei: bigint): Promise<{ poolWei: bigint; dustWei: bigint }> {
  const { staking, payments, court } = stage.chain.deployment.contracts
  const balanceOf = async (address: Address) => BigInt(await stage.rpc<string>('eth_getBalance', [address, 'latest']))
  const { blockTimestamp } = await stage.chain.getAccount(staking)
  let poolWei = await stage.chain.getUndistributed()
  for (const role of ['miner', 'coordinator'] as const) {
    // Nobody weighs anything any more, so the clocks stand: this stays.
    const { rateWei, endsAt, nextWei } = await stage.chain.getStream(role)
    poolWei += nextWei + rateWei * BigInt(Math.max(0, endsAt - blockTimestamp))
  }
  const dustWei = (await balanceOf(staking)) - poolWei
  stage.say(`staking holds the reward pool, ${toCai(poolWei)}, and ${dustWei} wei of rounding dust`)
  stage.say(`payments holds ${await balanceOf(payments)} wei, the court ${await balanceOf(court)} wei`)
  if ((await balanceOf(payments)) !== 0n || (await balanceOf(court)) !== 0n) throw new Error('escrow or a pot is left')
  const client = createPublicClient({ transport: http(stage.rpcUrl) })
  const settled = await client.getContractEvents({ address: staking, abi: stakingAbi, eventName: 'RewardsSettled', fromBlock: 0n })
  const mostDustWei = BigInt(2 * settled.length) + (mostWeightWei >> 72n) + 2n
  if (dustWei < 0n || dustWei > mostDustWei) throw new Error(`${dustWei} wei of dust after ${settled.length} settlements, over ${mostDustWei}`)
  return { poolWei, dustWei }
}
