import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/**
 * Starts the thaw of `shares` of the signer's votes for `node`, worth at least `minAmountWei` (IStaking.unvote).
 * @throws CUCKOO_STAKING_SHARES_INSUFFICIENT, CUCKOO_STAKING_AMOUNT_SLIPPED
 * @throws CUCKOO_STAKING_VOTE_TOO_SMALL when less than 1 CAI would remain
 */
export function unvote(context: ChainContext, ...[signer, input, options]: Parameters<Chain['unvote']>): Promise<TxReport> {
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'unvote', args: [input.node, input.shares, input.minAmountWei] }, options)
}
