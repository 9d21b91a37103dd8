import type { Chain, Deployment } from '../domain/chainPort.ts'
import { toHex } from '../domain/hex.ts'
import { roleNumbers } from '../domain/node.ts'
import { contractMissing } from '../errors/chain.ts'
import { bond } from './actions/bond.ts'
import { deregister } from './actions/deregister.ts'
import { findOperator } from './actions/findOperator.ts'
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
import { type ChainContext, createContext, readStaking } from './context.ts'
import { readBlock } from './nodeSet.ts'
import { watchNodes } from './watchNodes.ts'

export interface ChainOptions {
  deployment: Deployment
  /** tried in this order; default: those of the deployment */
  rpcUrls?: readonly string[] | undefined
  /** for one RPC request; default 10,000 */
  timeoutMs?: number | undefined
}

/**
 * The chain behind `deployment`, after checking that the RPC is on its chain id and its staking contract is there.
 * @throws CUCKOO_CHAIN_ID_MISMATCH
 * @throws CUCKOO_CHAIN_CONTRACT_MISSING when nothing, or another contract, is at the address
 * @throws CUCKOO_CHAIN_RPC_UNAVAILABLE when no RPC answers
 * @throws CUCKOO_CHAIN_RPC_MISSING, CUCKOO_CHAIN_RPC_URL_INVALID
 */
export async function createChain({ deployment, rpcUrls, timeoutMs }: ChainOptions): Promise<Chain> {
  const { network, chainId } = deployment
  const context = createContext(deployment, { network, chainId, rpcUrls: rpcUrls ?? deployment.rpcUrls, timeoutMs })
  await assertContract(context)
  return {
    deployment,
    domainSeparator: context.domainSeparator,
    getNode: (node) => getNode(context, node),
    getNodes: (role) => getNodes(context, role),
    watchNodes: (options) => watchNodes(context, options),
    findOperator: (operator) => findOperator(context, operator),
    getOperators: (node) => getOperators(context, node),
    getAccount: (account) => getAccount(context, account),
    getTotalWeight: (role) => readStaking(context, 'totalWeight', [roleNumbers[role]]),
    getTiming: () => getTiming(context),
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

/** Its domain separator binds a staking contract to its chain, its address and our version: no other contract gives this one. */
async function assertContract(context: ChainContext): Promise<void> {
  const { contracts, chainId } = context.deployment
  const found = await readStaking(context, 'domainSeparator', [])
  if (found !== toHex(context.domainSeparator)) throw contractMissing({ address: contracts.staking, chainId, reason: 'another contract is there' })
}

async function getTiming(context: ChainContext): Promise<{ thawSeconds: number; epochSeconds: number }> {
  const [thawSeconds, epochSeconds] = await Promise.all([readStaking(context, 'thawSeconds', []), readStaking(context, 'epochSeconds', [])])
  return { thawSeconds: Number(thawSeconds), epochSeconds: Number(epochSeconds) }
}

async function getBlocks(context: ChainContext) {
  const [latest, finalized] = await Promise.all([readBlock(context, 'latest'), readBlock(context, 'finalized')])
  return { latest: { number: latest.number, timestamp: latest.timestamp }, finalized: { number: finalized.number, timestamp: finalized.timestamp } }
}
