import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/** Moves `amountWei` from free to the bond of the signer's node (IStaking.bond). @throws CUCKOO_STAKING_FREE_TOO_LOW @throws CUCKOO_STAKING_NOT_REGISTERED */
export function bond(context: ChainContext, ...[signer, input, options]: Parameters<Chain['bond']>): Promise<TxReport> {
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'bond', args: [input.amountWei] }, options)
}
