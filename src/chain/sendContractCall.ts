import { type ContractFunctionArgs, type ContractFunctionName, type EncodeFunctionDataParameters, encodeFunctionData } from 'viem'
import type { TxOptions, TxReport } from '../domain/chainPort.ts'
import type { Signer } from '../domain/ports.ts'
import { type Abis, abis, type ContractName } from './abis.ts'
import type { ChainContext } from './context.ts'
import { sendTransaction } from './sendTransaction.ts'

type WriteName<C extends ContractName> = ContractFunctionName<Abis[C], 'nonpayable' | 'payable'>

/** One call of one of the contracts. */
export interface ContractCall<C extends ContractName, N extends WriteName<C>> {
  contract: C
  functionName: N
  args: ContractFunctionArgs<Abis[C], 'nonpayable' | 'payable', N>
  valueWei?: bigint
}

/** Sends, or with `dryRun` only simulates, one call of one of the contracts. Errors as in {@link sendTransaction}. */
export function sendContractCall<C extends ContractName, N extends WriteName<C>>(
  context: ChainContext,
  signer: Signer,
  call: ContractCall<C, N>,
  options?: TxOptions,
): Promise<TxReport> {
  const { contract, functionName, args, valueWei = 0n } = call
  // viem cannot check `args` against `functionName` while it is a type parameter; ContractCall did.
  const data = encodeFunctionData({ abi: abis[contract], functionName, args } as unknown as EncodeFunctionDataParameters<Abis['staking']>)
  const sender = { client: context.client, nonces: context.nonces, network: context.deployment.network }
  return sendTransaction(sender, signer, { action: functionName, contract, to: context.deployment.contracts[contract], data, valueWei }, options)
}
