import type { Deployment, NetworkParameters, RandomnessKind, TxOptions, TxReport } from '../domain/chainPort.ts'
import { assertNetworkParameters } from '../domain/networkParameters.ts'
import type { Signer } from '../domain/ports.ts'
import { deploymentBroken, deploymentUnverified, transactionPending } from '../errors/chain.ts'
import { randomnessUnsupported } from '../errors/court.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { createRpcClient, getChainId, type RpcClient } from './client.ts'
import { runRpc } from './context.ts'
import { stripUrl } from './deployment.ts'
import { type DeploymentStep, toContracts, toDeploymentSteps } from './deploymentSteps.ts'
import { findNetwork, networks } from './networks.ts'
import { createNonces } from './nonces.ts'
import { type Sender, sendTransaction } from './sendTransaction.ts'
import { simulateDeployment } from './simulateDeployment.ts'
import { verifyDeployment } from './verifyDeployment.ts'

export interface DeployOptions extends TxOptions {
  signer: Signer
  rpcUrl: string
  /** name the deployment gets; a known one fixes the chain id */
  network: string
  /** for networks without a known chain id */
  chainId?: number | undefined
  parameters: NetworkParameters
  randomness: RandomnessKind
}

/**
 * Deploys the five contracts, reads all of them back, and returns where they are, with what they cost together: `hash` and
 * `blockNumber` of the report are those of the last. Everything is simulated before anything is sent, and with `dryRun` the
 * deployment is what it would be. The RPC URLs in it are the network's own, else `rpcUrl` without user, password and query: the
 * file is made to be published.
 * @throws CUCKOO_CHAIN_PARAMETERS_INVALID, CUCKOO_COURT_RANDOMNESS_UNSUPPORTED before anything is asked
 * @throws CUCKOO_CHAIN_ID_MISMATCH when the RPC is on another chain than `network`
 * @throws CUCKOO_CHAIN_TRANSACTION_PENDING when the account has a transaction under way
 * @throws CUCKOO_CHAIN_WALLET_TOO_LOW, CUCKOO_CHAIN_RPC_UNAVAILABLE
 * @throws CUCKOO_CHAIN_DEPLOYMENT_BROKEN when it broke off after the first contract: names what is abandoned
 * @throws CUCKOO_CHAIN_DEPLOYMENT_UNVERIFIED when what is read back is not what was sent
 */
export async function deployContracts(options: DeployOptions): Promise<{ deployment: Deployment; report: TxReport }> {
  const { signer, rpcUrl, network, parameters, randomness, ...txOptions } = options
  assertNetworkParameters(parameters)
  const known = findNetwork(network)
  const chainId = known?.chainId ?? options.chainId ?? (await runRpc('deploy', () => getChainId(rpcUrl)))
  if (randomness === 'blockhash' && chainId !== networks.devnet.chainId) throw randomnessUnsupported({ chainId })
  const client = createRpcClient({ network, chainId, rpcUrls: [rpcUrl] })
  const sender = { client, nonces: createNonces(client), network }
  const steps = toDeploymentSteps({ deployer: signer.address, nonce: await getNonce(client, signer), parameters, randomness })
  const { gas, feeWei } = await simulateDeployment(sender, signer.address, steps)
  const deployment: Deployment = {
    network,
    chainId,
    contracts: toContracts(steps),
    randomness,
    deploymentBlock: 0,
    rpcUrls: known && known.rpcUrls.length > 0 ? [...known.rpcUrls] : [stripUrl(rpcUrl)],
  }
  const report = { action: 'deploy', from: signer.address, to: null, valueWei: 0n }
  if (txOptions.dryRun) return { deployment, report: { ...report, gas: sum(gas), feeWei, dryRun: true, hash: null, blockNumber: null } }

  const sent = await sendSteps(sender, signer, steps, gas, txOptions)
  const [first, last] = [sent[0] as TxReport, sent.at(-1) as TxReport]
  deployment.deploymentBlock = Number(first.blockNumber)
  await verifySent(deployment, rpcUrl, parameters)
  const spent = { gas: sum(sent.map((tx) => tx.gas)), feeWei: sum(sent.map((tx) => tx.feeWei)) }
  return { deployment, report: { ...report, ...spent, dryRun: false, hash: last.hash, blockNumber: last.blockNumber } }
}

/** The account's next nonce. @throws CUCKOO_CHAIN_TRANSACTION_PENDING when it is not certain */
async function getNonce(client: RpcClient, { address }: Signer): Promise<number> {
  const [latest, pending] = await runRpc('deploy', () =>
    Promise.all([client.getTransactionCount({ address, blockTag: 'latest' }), client.getTransactionCount({ address, blockTag: 'pending' })]),
  )
  if (latest !== pending) throw transactionPending({ account: address, latest, pending })
  return latest
}

async function sendSteps(sender: Sender, signer: Signer, steps: readonly DeploymentStep[], gas: readonly bigint[], options: TxOptions): Promise<TxReport[]> {
  const reports: TxReport[] = []
  for (const [index, { contract, address, data, nonce }] of steps.entries()) {
    try {
      // When the last is final, so are those before it.
      const waitForFinality = options.waitForFinality === true && index === steps.length - 1
      // Not simulated again: behind one URL there may be servers that do not know the block of the step before yet.
      const transaction = { action: 'deploy', contract, to: null, data, valueWei: 0n, nonce, gas: gas[index] as bigint }
      reports.push(await sendTransaction(sender, signer, transaction, { ...options, waitForFinality }))
    } catch (error) {
      const deployed = steps.slice(0, index).map((step) => `${step.contract} ${step.address}`)
      if (!(error instanceof CuckooError) || deployed.length === 0) throw error
      throw deploymentBroken({ failed: `${contract} (${address})`, reason: error.message, deployed, chainId: sender.client.chain.id }, { cause: error })
    }
  }
  return reports
}

async function verifySent(deployment: Deployment, rpcUrl: string, parameters: NetworkParameters): Promise<void> {
  try {
    await verifyDeployment(deployment, { rpcUrls: [rpcUrl], parameters })
  } catch (cause) {
    if (!(cause instanceof CuckooError)) throw cause
    const deployed = Object.entries(deployment.contracts).map(([contract, address]) => `${contract} ${address}`)
    throw deploymentUnverified({ reason: cause.message, deployed, deploymentBlock: deployment.deploymentBlock, chainId: deployment.chainId }, { cause })
  }
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n)
}
