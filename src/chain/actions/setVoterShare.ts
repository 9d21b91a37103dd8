import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/** Sets the voters' share of the signer's node in 1/10,000; a drop takes effect after one thaw (IStaking.setVoterShare). @throws CUCKOO_STAKING_VOTER_SHARE_TOO_HIGH */
export function setVoterShare(context: ChainContext, ...[signer, input, options]: Parameters<Chain['setVoterShare']>): Promise<TxReport> {
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'setVoterShare', args: [input.voterShareBps] }, options)
}
