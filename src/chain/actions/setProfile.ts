import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/** Replaces the profile of the signer's node (IStaking.setProfile). @throws CUCKOO_STAKING_PROFILE_INVALID @throws CUCKOO_STAKING_NOT_REGISTERED */
export function setProfile(context: ChainContext, ...[signer, input, options]: Parameters<Chain['setProfile']>): Promise<TxReport> {
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'setProfile', args: [input.profile] }, options)
}
