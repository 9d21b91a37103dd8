import { setTimeout as sleep } from 'node:timers/promises'
import { parseSignature, serializeTransaction, type TransactionReceipt, TransactionReceiptNotFoundError } from 'viem'
import { formatAmount } from '../domain/amount.ts'
import type { TxOptions, TxReport } from '../domain/chainPort.ts'
import { keccak256 } from '../domain/eip712.ts'
import { type Address, fromHex, type Hash, type Hex, toHex } from '../domain/hex.ts'
import type { Signer } from '../domain/ports.ts'
import { txNotFinal, txReorged, txReverted, txUncertain, txUnconfirmed, walletTooLow } from '../errors/chain.ts'
import { errorKinds } from '../errors/cuckooError.ts'
import type { ContractName } from './abis.ts'
import { toChainError } from './chainErrors.ts'
import type { RpcClient } from './client.ts'
import { runRpc } from './context.ts'
import type { Nonces } from './nonces.ts'

export interface Transaction {
  /** what the report and errors call it */
  action: string
  /** whose function or constructor it is, null: nobody's */
  contract: ContractName | null
  /** null: creates a contract */
  to: Address | null
  data: Hex
  valueWei: bigint
  /** the one it must have; left out: the next */
  nonce?: number
  /** limit of one that was simulated before; left out: it is simulated now */
  gas?: bigint
}

export interface Sender {
  client: RpcClient
  nonces: Nonces
  network: string
}

interface Costs {
  gas: bigint
  maxFeePerGas: bigint
  maxPriorityFeePerGas: bigint
}

const defaultTimeoutMs = 120_000
// A batch of an Orbit chain reaches its parent within minutes to an hour, and is final a quarter of an hour later.
const defaultFinalityTimeoutMs = 2 * 3_600_000
const firstPollMs = 50
const lastPollMs = 1_000

/**
 * Simulates `transaction`, then with `dryRun` reports what it would cost at most, else sends it and waits until it is mined
 * (and final, with `waitForFinality`). A transaction leaves this process at most once: only the same bytes are sent again.
 * @throws CUCKOO_CHAIN_WALLET_TOO_LOW when the account cannot pay value and gas
 * @throws CUCKOO_STAKING_…, CUCKOO_PAYMENTS_…, CUCKOO_COURT_…, CUCKOO_EPOCHS_… when the contract refuses, before anything is sent
 * @throws CUCKOO_CHAIN_TX_REVERTED when it is refused only in its block
 * @throws CUCKOO_CHAIN_TX_UNCONFIRMED, CUCKOO_CHAIN_TX_NOT_FINAL after `timeoutMs`
 */
export async function sendTransaction(sender: Sender, signer: Signer, transaction: Transaction, options: TxOptions = {}): Promise<TxReport> {
  const startedMs = performance.now()
  const costs = await estimateCosts(sender, signer.address, transaction)
  const report = { action: transaction.action, from: signer.address, to: transaction.to, valueWei: transaction.valueWei }
  if (options.dryRun) return { ...report, gas: costs.gas, feeWei: costs.gas * costs.maxFeePerGas, dryRun: true, hash: null, blockNumber: null }

  const hash = await runRpc(transaction.action, () => sendOnce(sender, signer, transaction, costs))
  options.onStage?.({ stage: 'sent', hash })
  const receipt = await waitForReceipt(sender, transaction, hash, startedMs, options.timeoutMs ?? defaultTimeoutMs)
  if (receipt.status === 'reverted') throw await explainRevert(sender, signer.address, transaction, receipt)
  options.onStage?.({ stage: 'mined', hash, blockNumber: receipt.blockNumber })
  if (options.waitForFinality) await waitForFinality(sender, transaction, receipt, startedMs, options)
  return { ...report, gas: receipt.gasUsed, feeWei: receipt.gasUsed * receipt.effectiveGasPrice, dryRun: false, hash, blockNumber: receipt.blockNumber }
}

async function estimateCosts(sender: Sender, from: Address, transaction: Transaction): Promise<Costs> {
  const { client } = sender
  const { action, valueWei } = transaction
  const [availableWei, fees] = await runRpc(action, () =>
    Promise.all([client.getBalance({ address: from, blockTag: 'pending' }), client.estimateFeesPerGas({ type: 'eip1559' })]),
  )
  const assertAffordable = (feeWei: bigint): void => {
    const neededWei = valueWei + feeWei
    if (availableWei >= neededWei) return
    const [availableCai, neededCai, feeCai] = [formatAmount(availableWei), formatAmount(neededWei), formatAmount(feeWei)]
    throw walletTooLow({ account: from, availableCai, neededCai, feeCai, network: sender.network })
  }
  assertAffordable(0n)
  const gas = transaction.gas ?? (await simulate(client, from, transaction))
  assertAffordable(gas * fees.maxFeePerGas)
  return { gas, ...fees }
}

/** Runs `transaction` on the latest state, and returns the gas that it may use. */
async function simulate(client: RpcClient, from: Address, { action, contract, to, data, valueWei }: Transaction): Promise<bigint> {
  // Gas is named without a fee, so that nodes do not take the balance for a limit: what is too little is said below.
  const call = { account: from, data, value: valueWei, ...(to && { to }) }
  if (to !== null) await runRpc(action, () => client.call(call), contract)
  const estimate = await runRpc(action, () => client.estimateGas(call), contract)
  // A quarter more, for state that changes until it is mined; what is not used is not paid.
  return estimate + estimate / 4n
}

function sendOnce({ client, nonces }: Sender, signer: Signer, transaction: Transaction, costs: Costs): Promise<Hash> {
  return nonces.use(signer.address, async (next) => {
    // With another nonce it fails as a whole instead of doing something else.
    const nonce = transaction.nonce ?? next
    const serialized = signTransaction(signer, client.chain.id, nonce, transaction, costs)
    const hash = toHex(keccak256(fromHex(serialized)))
    try {
      await client.sendRawTransaction({ serializedTransaction: serialized })
    } catch (error) {
      // An answer that got lost, or "already known" to a repetition: the transaction itself tells whether it was taken.
      const known: unknown = await client.request({ method: 'eth_getTransactionByHash', params: [hash] }).catch(() => {
        throw txUncertain({ action: transaction.action, hash }, { cause: toChainError(error, transaction.action) })
      })
      if (!known) throw error
    }
    return hash
  })
}

/** The raw EIP-1559 transaction with the signature of its keccak-256. */
function signTransaction(signer: Signer, chainId: number, nonce: number, { to, data, valueWei }: Transaction, costs: Costs): Hex {
  const unsigned = { type: 'eip1559', chainId, nonce, to, data, value: valueWei, ...costs } as const
  const digest = toHex(keccak256(fromHex(serializeTransaction(unsigned))))
  return serializeTransaction(unsigned, parseSignature(signer.sign(digest)))
}

async function waitForReceipt({ client }: Sender, { action }: Transaction, hash: Hash, startedMs: number, timeoutMs: number): Promise<TransactionReceipt> {
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 1.5, lastPollMs)) {
    const receipt = await tolerateOutage(action, () => findReceipt(client, hash))
    if (receipt) return receipt
    const waitedMs = performance.now() - startedMs
    if (waitedMs + pollMs > timeoutMs) throw txUnconfirmed({ action, hash, waitedMs: Math.round(waitedMs) })
    await sleep(pollMs)
  }
}

async function waitForFinality({ client }: Sender, { action }: Transaction, receipt: TransactionReceipt, startedMs: number, options: TxOptions): Promise<void> {
  const { transactionHash: hash, blockNumber } = receipt
  const timeoutMs = options.timeoutMs ?? defaultFinalityTimeoutMs
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 1.5, lastPollMs)) {
    const finalized = await tolerateOutage(action, () => client.getBlock({ blockTag: 'finalized' }))
    if (finalized) {
      options.onStage?.({ stage: 'finality', blockNumber, finalizedBlock: finalized.number })
      if (finalized.number >= blockNumber) {
        const final = await runRpc(action, () => findReceipt(client, hash))
        if (final?.blockHash !== receipt.blockHash) throw txReorged({ action, hash, blockNumber })
        return
      }
    }
    const waitedMs = performance.now() - startedMs
    if (waitedMs + pollMs > timeoutMs) {
      throw txNotFinal({ action, hash, blockNumber, finalizedBlock: finalized?.number ?? 0n, waitedMs: Math.round(waitedMs) })
    }
    await sleep(pollMs)
  }
}

/** Null while the RPC is unavailable: what was sent goes on without it. */
async function tolerateOutage<T>(action: string, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run()
  } catch (error) {
    const known = toChainError(error, action)
    if (errorKinds[known.kind].retry) return null
    throw known
  }
}

async function findReceipt(client: RpcClient, hash: Hash): Promise<TransactionReceipt | null> {
  try {
    return await client.getTransactionReceipt({ hash })
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return null
    throw error
  }
}

/** Runs the call again on the state after its block, where the reason mostly still stands. */
async function explainRevert({ client }: Sender, from: Address, transaction: Transaction, receipt: TransactionReceipt): Promise<Error> {
  const { action, contract, to, data, valueWei } = transaction
  const facts = { action, hash: receipt.transactionHash, blockNumber: receipt.blockNumber }
  if (to === null) return txReverted(facts)
  try {
    await client.call({ account: from, to, data, value: valueWei, blockNumber: receipt.blockNumber })
    return txReverted(facts)
  } catch (error) {
    return txReverted(facts, { cause: toChainError(error, action, contract) })
  }
}
