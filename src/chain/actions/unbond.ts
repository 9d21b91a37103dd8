import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/** Starts the thaw of `amountWei` of the signer's bond (IStaking.unbond). @throws CUCKOO_STAKING_BOND_INSUFFICIENT */
export function unbond(context: ChainContext, ...[signer, input, options]: Parameters<Chain['unbond']>): Promise<TxReport> {
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'unbond', args: [input.amountWei] }, options)
}
