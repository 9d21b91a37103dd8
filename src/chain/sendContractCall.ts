import { type ContractFunctionArgs, type ContractFunctionName, type EncodeFunctionDataParameters, encodeFunctionData } from 'viem'
import type { TxOptions, TxReport } from '../domain/chainPort.ts'
import type { Signer } from '../domain/ports.ts'
import type { ChainContext } from './context.ts'
import { stakingAbi } from './contracts.generated.ts'
import { sendTransaction } from './sendTransaction.ts'

type WriteName = ContractFunctionName<typeof stakingAbi, 'nonpayable' | 'payable'>

/** One call of the staking contract. */
export interface ContractCall<N extends WriteName> {
  functionName: N
  args: ContractFunctionArgs<typeof stakingAbi, 'nonpayable' | 'payable', N>
  valueWei?: bigint
}

/** Sends, or with `dryRun` only simulates, one call of the staking contract. Errors as in {@link sendTransaction}. */
export function sendContractCall<N extends WriteName>(context: ChainContext, signer: Signer, call: ContractCall<N>, options?: TxOptions): Promise<TxReport> {
  const { functionName, args, valueWei = 0n } = call
  // viem cannot check `args` against `functionName` while it is a type parameter; ContractCall did.
  const data = encodeFunctionData({ abi: stakingAbi, functionName, args } as unknown as EncodeFunctionDataParameters<typeof stakingAbi>)
  const sender = { client: context.client, nonces: context.nonces, network: context.deployment.network }
  return sendTransaction(sender, signer, { action: functionName, to: context.deployment.contracts.staking, data, valueWei }, options)
}
