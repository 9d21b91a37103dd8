import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/**
 * Moves `amountWei` from free into `node`'s vote pool for at least `minShares` shares (IStaking.vote).
 * @throws CUCKOO_STAKING_FREE_TOO_LOW, CUCKOO_STAKING_NOT_REGISTERED
 * @throws CUCKOO_STAKING_VOTE_TOO_SMALL under 1 CAI
 * @throws CUCKOO_STAKING_VOTES_OVER_LIMIT over 16 times the node's bond
 * @throws CUCKOO_STAKING_SHARES_SLIPPED
 */
export function vote(context: ChainContext, ...[signer, input, options]: Parameters<Chain['vote']>): Promise<TxReport> {
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'vote', args: [input.node, input.amountWei, input.minShares] }, options)
}
