import type { Chain, Deployment, NetworkParameters } from '../domain/chainPort.ts'
import { roleNumbers } from '../domain/node.ts'
import { bond } from './actions/bond.ts'
import { deregister } from './actions/deregister.ts'
import { findOperator } from './actions/findOperator.ts'
import { findShareDrop } from './actions/findShareDrop.ts'
import { getAccount } from './actions/getAccount.ts'
import { getNode } from './actions/getNode.ts'
import { getNodes } from './actions/getNodes.ts'
import { getOperators } from './actions/getOperators.ts'
import { register } from './actions/register.ts'
import { setOperator } from './actions/setOperator.ts'
import { setProfile } from './actions/setProfile.ts'
import { setVoterShare } from './actions/setVoterShare.ts'
import { stake } from './actions/stake.ts'
import { transfer } from './actions/transfer.ts'
import { unbond } from './actions/unbond.ts'
import { unvote } from './actions/unvote.ts'
import { vote } from './actions/vote.ts'
import { withdraw } from './actions/withdraw.ts'
import { readBlock } from './blocks.ts'
import { type ChainContext, createContext, readContract } from './context.ts'
import { createCourtReader, createCourtWriter } from './court.ts'
import { createEpochReader, createEpochWriter } from './epochs.ts'
import { readParameters } from './parameters.ts'
import { createPaymentReader, createPaymentWriter } from './payments.ts'
import { createRewardReader, createRewardWriter } from './rewards.ts'
import { watchNodes } from './watchNodes.ts'
import { assertWiring } from './wiring.ts'

export interface ChainOptions {
  deployment: Deployment
  /** tried in this order; default: those of the deployment */
  rpcUrls?: readonly string[] | undefined
  /** for one RPC request; default 10,000 */
  timeoutMs?: number | undefined
}

/**
 * The chain behind `deployment`, after checking that the RPC is on its chain id and its contracts are there and name each other.
 * @throws CUCKOO_CHAIN_ID_MISMATCH
 * @throws CUCKOO_CHAIN_CONTRACT_MISSING when nothing, or another contract, is at an address
 * @throws CUCKOO_CHAIN_DEPLOYMENT_MISMATCH when the contracts name others than the deployment does
 * @throws CUCKOO_CHAIN_RPC_UNAVAILABLE when no RPC answers
 * @throws CUCKOO_CHAIN_RPC_MISSING, CUCKOO_CHAIN_RPC_URL_INVALID
 */
export async function createChain({ deployment, rpcUrls, timeoutMs }: ChainOptions): Promise<Chain> {
  const { network, chainId } = deployment
  const context = createContext(deployment, { network, chainId, rpcUrls: rpcUrls ?? deployment.rpcUrls, timeoutMs })
  await assertWiring(context)
  let parameters: Promise<NetworkParameters> | null = null
  return {
    ...createRewardReader(context),
    ...createRewardWriter(context),
    ...createPaymentReader(context),
    ...createPaymentWriter(context),
    ...createCourtReader(context),
    ...createCourtWriter(context),
    ...createEpochReader(context),
    ...createEpochWriter(context),
    deployment,
    domainSeparator: context.domainSeparator,
    getNode: (node) => getNode(context, node),
    getNodes: (role) => getNodes(context, role),
    watchNodes: (options) => watchNodes(context, options),
    findOperator: (operator) => findOperator(context, operator),
    getOperators: (node) => getOperators(context, node),
    findShareDrop: (node) => findShareDrop(context, node),
    getAccount: (account) => getAccount(context, account),
    getTotalWeight: (role) => readContract(context, 'staking', 'totalWeight', [roleNumbers[role]]),
    getParameters: () => {
      parameters ??= readParameters(context)
      // What failed is asked again the next time.
      parameters.catch(() => (parameters = null))
      return parameters
    },
    getBlocks: () => getBlocks(context),
    stake: (...input) => stake(context, ...input),
    withdraw: (...input) => withdraw(context, ...input),
    bond: (...input) => bond(context, ...input),
    unbond: (...input) => unbond(context, ...input),
    vote: (...input) => vote(context, ...input),
    unvote: (...input) => unvote(context, ...input),
    register: (...input) => register(context, ...input),
    setProfile: (...input) => setProfile(context, ...input),
    setOperator: (...input) => setOperator(context, ...input),
    setVoterShare: (...input) => setVoterShare(context, ...input),
    deregister: (...input) => deregister(context, ...input),
    transfer: (...input) => transfer(context, ...input),
  }
}

async function getBlocks(context: ChainContext) {
  const [latest, finalized] = await Promise.all([readBlock(context, 'latest'), readBlock(context, 'finalized')])
  return { latest: { number: latest.number, timestamp: latest.timestamp }, finalized: { number: finalized.number, timestamp: finalized.timestamp } }
}
