import type { ContractFunctionArgs, ContractFunctionName, ReadContractReturnType } from 'viem'
import { BaseError, ContractFunctionZeroDataError } from 'viem'
import type { Deployment } from '../domain/chainPort.ts'
import { toDomainSeparator } from '../domain/eip712.ts'
import { contractMissing } from '../errors/chain.ts'
import { toChainError } from './chainErrors.ts'
import { createRpcClient, type RpcClient, type RpcOptions } from './client.ts'
import { stakingAbi } from './contracts.generated.ts'
import { createNonces, type Nonces } from './nonces.ts'

/** What every action needs. */
export interface ChainContext {
  readonly deployment: Deployment
  readonly domainSeparator: Uint8Array
  readonly client: RpcClient
  readonly rpc: RpcOptions
  readonly nonces: Nonces
}

type ViewName = ContractFunctionName<typeof stakingAbi, 'view' | 'pure'>
type ViewArguments<N extends ViewName> = ContractFunctionArgs<typeof stakingAbi, 'view' | 'pure', N>

/** A context without any call to the chain. @throws CUCKOO_CHAIN_RPC_MISSING @throws CUCKOO_CHAIN_RPC_URL_INVALID */
export function createContext(deployment: Deployment, rpc: RpcOptions): ChainContext {
  const client = createRpcClient(rpc)
  const domainSeparator = toDomainSeparator({ chainId: deployment.chainId, verifyingContract: deployment.contracts.staking })
  return { deployment, domainSeparator, client, rpc, nonces: createNonces(client) }
}

/** What `run` resolves to, viem's errors turned into ours. `action` names the call in them. */
export async function runRpc<T>(action: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw toChainError(error, action)
  }
}

/**
 * Result of a view of the staking contract, at `blockNumber` or the latest block.
 * @throws CUCKOO_CHAIN_CONTRACT_MISSING when nothing is there that answers
 */
export function readStaking<N extends ViewName>(
  context: ChainContext,
  functionName: N,
  args: ViewArguments<N>,
  blockNumber?: bigint,
): Promise<ReadContractReturnType<typeof stakingAbi, N, ViewArguments<N>>> {
  const address = context.deployment.contracts.staking
  return runRpc(functionName, async () => {
    try {
      // viem cannot check `args` against `functionName` while both are type parameters; the signature above did.
      const call = { address, abi: stakingAbi, functionName, args, blockNumber } as unknown as Parameters<RpcClient['readContract']>[0]
      return (await context.client.readContract(call)) as ReadContractReturnType<typeof stakingAbi, N, ViewArguments<N>>
    } catch (error) {
      const isEmpty = error instanceof BaseError && error.walk((cause) => cause instanceof ContractFunctionZeroDataError) !== null
      if (!isEmpty) throw error
      throw contractMissing({ address, chainId: context.deployment.chainId, reason: 'nothing there answers' }, { cause: error })
    }
  })
}
