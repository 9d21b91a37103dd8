import { maxUint256 } from 'viem'
import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/**
 * Releases the matured thaws `thawIds` into free and pays `freeWei` of free, or all of it, to `to` (IStaking.withdraw).
 * @throws CUCKOO_STAKING_THAW_NOT_RELEASED, CUCKOO_STAKING_THAW_UNKNOWN, CUCKOO_STAKING_FREE_TOO_LOW
 * @throws CUCKOO_STAKING_PAYOUT_FAILED when `to` does not take it
 */
export function withdraw(context: ChainContext, ...[signer, input, options]: Parameters<Chain['withdraw']>): Promise<TxReport> {
  const freeWei = input.freeWei === 'all' ? maxUint256 : input.freeWei
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'withdraw', args: [input.thawIds, freeWei, input.to] }, options)
}
