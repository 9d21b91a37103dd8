import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/** Adds `amountWei` of the wallet to free stake (IStaking.stake). @throws CUCKOO_STAKING_AMOUNT_ZERO @throws CUCKOO_CHAIN_WALLET_TOO_LOW */
export function stake(context: ChainContext, ...[signer, input, options]: Parameters<Chain['stake']>): Promise<TxReport> {
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'stake', args: [], valueWei: input.amountWei }, options)
}
