import type { Chain, TxReport } from '../../domain/chainPort.ts'
import { roleNumbers } from '../../domain/node.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/**
 * Makes the signer a node with `bondWei` of its free stake, after adding `valueWei` to it (IStaking.register).
 * @throws CUCKOO_STAKING_BOND_TOO_LOW when the bond is not over the role's threshold
 * @throws CUCKOO_STAKING_FREE_TOO_LOW, CUCKOO_STAKING_ALREADY_REGISTERED, CUCKOO_STAKING_ROLE_LOCKED, CUCKOO_STAKING_PROFILE_INVALID
 * @throws CUCKOO_STAKING_OPERATOR_SIGNATURE_INVALID, CUCKOO_STAKING_OPERATOR_TAKEN, CUCKOO_STAKING_SIGNATURE_EXPIRED
 */
export function register(context: ChainContext, ...[signer, input, options]: Parameters<Chain['register']>): Promise<TxReport> {
  const { role, operator, voterShareBps, bondWei, profile, deadline, operatorSignature, valueWei } = input
  const args = [roleNumbers[role], operator, voterShareBps, bondWei, profile, BigInt(deadline), operatorSignature] as const
  return sendContractCall(context, signer, { contract: 'staking', functionName: 'register', args, valueWei }, options)
}
