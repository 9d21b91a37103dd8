import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendContractCall } from '../sendContractCall.ts'

/**
 * Replaces the operator of the signer's node, with the new key's signature over its registration (IStaking.setOperator).
 * @throws CUCKOO_STAKING_OPERATOR_SIGNATURE_INVALID, CUCKOO_STAKING_OPERATOR_TAKEN, CUCKOO_STAKING_SIGNATURE_EXPIRED
 */
export function setOperator(context: ChainContext, ...[signer, input, options]: Parameters<Chain['setOperator']>): Promise<TxReport> {
  return sendContractCall(
    context,
    signer,
    { contract: 'staking', functionName: 'setOperator', args: [input.operator, BigInt(input.deadline), input.operatorSignature] },
    options,
  )
}
