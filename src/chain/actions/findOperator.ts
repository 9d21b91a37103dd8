import { type Address, zeroAddress } from '../../domain/hex.ts'
import { type ChainContext, readContract } from '../context.ts'

/** The node that an operator key belongs to, and unix seconds until which its signatures count (2^64 - 1: the current key); null: nobody's. */
export async function findOperator(context: ChainContext, operator: Address): Promise<{ node: Address; validUntil: bigint } | null> {
  const [node, validUntil] = await readContract(context, 'staking', 'operatorRecord', [operator])
  return node === zeroAddress ? null : { node: node.toLowerCase() as Address, validUntil }
}
