import type { ContractFunctionArgs, ContractFunctionName, ReadContractReturnType } from 'viem'
import { BaseError, ContractFunctionZeroDataError } from 'viem'
import type { Deployment } from '../domain/chainPort.ts'
import { toDomainSeparator } from '../domain/eip712.ts'
import { contractMissing } from '../errors/chain.ts'
import { type Abis, abis, type ContractName } from './abis.ts'
import { toChainError } from './chainErrors.ts'
import { createRpcClient, type RpcClient, type RpcOptions } from './client.ts'
import { createNonces, type Nonces } from './nonces.ts'

/** What every action needs. */
export interface ChainContext {
  readonly deployment: Deployment
  readonly domainSeparator: Uint8Array
  readonly client: RpcClient
  readonly rpc: RpcOptions
  readonly nonces: Nonces
}

type ViewName<C extends ContractName> = ContractFunctionName<Abis[C], 'view' | 'pure'>
type ViewArguments<C extends ContractName, N extends ViewName<C>> = ContractFunctionArgs<Abis[C], 'view' | 'pure', N>
export type ViewResult<C extends ContractName, N extends ViewName<C>> = ReadContractReturnType<Abis[C], N, ViewArguments<C, N>>

/** A context without any call to the chain. @throws CUCKOO_CHAIN_RPC_MISSING @throws CUCKOO_CHAIN_RPC_URL_INVALID */
export function createContext(deployment: Deployment, rpc: RpcOptions): ChainContext {
  const client = createRpcClient(rpc)
  const domainSeparator = toDomainSeparator({ chainId: deployment.chainId, verifyingContract: deployment.contracts.staking })
  return { deployment, domainSeparator, client, rpc, nonces: createNonces(client) }
}

/** What `run` resolves to, viem's errors turned into ours. `action` names the call in them, `contract` whose reverts they may hold. */
export async function runRpc<T>(action: string, run: () => Promise<T>, contract: ContractName | null = null): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw toChainError(error, action, contract)
  }
}

/**
 * Result of a view of one of the contracts, at `blockNumber` or the latest block.
 * @throws CUCKOO_CHAIN_CONTRACT_MISSING when nothing is there that answers
 */
export function readContract<C extends ContractName, N extends ViewName<C>>(
  context: ChainContext,
  contract: C,
  functionName: N,
  args: ViewArguments<C, N>,
  blockNumber?: bigint,
): Promise<ViewResult<C, N>> {
  const address = context.deployment.contracts[contract]
  const read = async () => {
    try {
      // viem cannot check `args` against `functionName` while both are type parameters; the signature above did.
      const call = { address, abi: abis[contract], functionName, args, blockNumber } as unknown as Parameters<RpcClient['readContract']>[0]
      return (await context.client.readContract(call)) as ViewResult<C, N>
    } catch (error) {
      const isEmpty = error instanceof BaseError && error.walk((cause) => cause instanceof ContractFunctionZeroDataError) !== null
      if (!isEmpty) throw error
      throw contractMissing({ contract, address, chainId: context.deployment.chainId, reason: 'nothing there answers' }, { cause: error })
    }
  }
  return runRpc(functionName, read, contract)
}
