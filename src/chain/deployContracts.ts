import { encodeDeployData, getContractAddress } from 'viem'
import type { Deployment, TxOptions, TxReport } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import type { Signer } from '../domain/ports.ts'
import { createRpcClient, getChainId } from './client.ts'
import { runRpc } from './context.ts'
import { stakingAbi, stakingBytecode } from './contracts.generated.ts'
import { stripUrl } from './deployment.ts'
import { findNetwork } from './networks.ts'
import { createNonces } from './nonces.ts'
import { sendTransaction } from './sendTransaction.ts'

export interface DeployOptions extends TxOptions {
  signer: Signer
  rpcUrl: string
  /** name the deployment gets; a known one fixes the chain id */
  network: string
  /** for networks without a known chain id */
  chainId?: number | undefined
  /** how long stake thaws: 60 seconds to 60 days */
  thawSeconds: number
  /** length of the epochs in which bonds are counted: 10 seconds to 30 days, at most `thawSeconds` */
  epochSeconds: number
}

/**
 * Deploys the staking contract and returns where it is, with what it cost. With `dryRun` the deployment is what it would be.
 * The RPC URLs in it are the network's own, else `rpcUrl` without user, password and query: the file is made to be published.
 * @throws CUCKOO_STAKING_PARAMETER_INVALID when a duration is out of range
 * @throws CUCKOO_CHAIN_ID_MISMATCH when the RPC is on another chain than `network`
 * @throws CUCKOO_CHAIN_WALLET_TOO_LOW, CUCKOO_CHAIN_RPC_UNAVAILABLE
 */
export async function deployContracts(options: DeployOptions): Promise<{ deployment: Deployment; report: TxReport }> {
  const { signer, rpcUrl, network, thawSeconds, epochSeconds, ...txOptions } = options
  const known = findNetwork(network)
  const chainId = known?.chainId ?? options.chainId ?? (await runRpc('deploy', () => getChainId(rpcUrl)))
  const client = createRpcClient({ network, chainId, rpcUrls: [rpcUrl] })
  const data = encodeDeployData({ abi: stakingAbi, bytecode: stakingBytecode, args: [BigInt(thawSeconds), BigInt(epochSeconds)] })
  const transaction = { action: 'deploy', to: null, data, valueWei: 0n }
  const report = await sendTransaction({ client, nonces: createNonces(client), network }, signer, transaction, txOptions)
  const { hash } = report
  const receipt = hash === null ? null : await runRpc('deploy', () => client.getTransactionReceipt({ hash }))
  const nonce = receipt ? 0 : await runRpc('deploy', () => client.getTransactionCount({ address: signer.address, blockTag: 'pending' }))
  const staking = receipt?.contractAddress ?? getContractAddress({ from: signer.address, nonce: BigInt(nonce) })
  const deployment = {
    network,
    chainId,
    contracts: { staking: staking.toLowerCase() as Address },
    deploymentBlock: Number(report.blockNumber ?? 0n),
    rpcUrls: known && known.rpcUrls.length > 0 ? [...known.rpcUrls] : [stripUrl(rpcUrl)],
  }
  return { deployment, report }
}
