import type { RewardReader, RewardWriter } from '../domain/chainPort.ts'
import { roleNumbers } from '../domain/node.ts'
import { getEarnings } from './actions/getEarnings.ts'
import { type ChainContext, readContract } from './context.ts'
import { sendContractCall } from './sendContractCall.ts'

/** Reading rewards (IRewards). */
export function createRewardReader(context: ChainContext): RewardReader {
  return {
    async getRewards(node) {
      const [ownerWei, [waitingWei, endsAt]] = await Promise.all([
        readContract(context, 'staking', 'rewardsOf', [node]),
        readContract(context, 'staking', 'dripOf', [node]),
      ])
      return { node, ownerWei, drip: { waitingWei, endsAt: Number(endsAt) } }
    },
    async getStream(role) {
      const { rateWei, endsAt, nextWei, weightWei } = await readContract(context, 'staking', 'getStream', [roleNumbers[role]])
      return { rateWei, endsAt: Number(endsAt), nextWei, weightWei }
    },
    getUndistributed: () => readContract(context, 'staking', 'undistributedWei', []),
    getEarnings: (node) => getEarnings(context, node),
  }
}

/** Writing rewards, one verb for each function of IRewards, and a node's going away and coming back (IStaking.rest, rejoin). */
export function createRewardWriter(context: ChainContext): RewardWriter {
  const contract = 'staking'
  return {
    fund: (signer, { role, amountWei }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'fund', args: [roleNumbers[role]], valueWei: amountWei }, options),
    pour: (signer, _input, options) => sendContractCall(context, signer, { contract, functionName: 'pour', args: [] }, options),
    claim: (signer, { node }, options) => sendContractCall(context, signer, { contract, functionName: 'claim', args: [node] }, options),
    rest: (signer, { node }, options) => sendContractCall(context, signer, { contract, functionName: 'rest', args: [node] }, options),
    rejoin: (signer, { node }, options) => sendContractCall(context, signer, { contract, functionName: 'rejoin', args: [node] }, options),
  }
}
