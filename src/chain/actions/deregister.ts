import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/** Takes the signer's node off the list and starts the thaw of its whole bond (IStaking.deregister). @throws CUCKOO_STAKING_NOT_REGISTERED */
export function deregister(context: ChainContext, ...[signer, options]: Parameters<Chain['deregister']>): Promise<TxReport> {
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'deregister', args: [] }, options)
}
