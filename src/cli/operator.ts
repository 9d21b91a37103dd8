import type { Chain } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import type { NodeRecord, Role } from '../domain/node.ts'
import type { Signer } from '../domain/ports.ts'
import { operatorNotRegistered } from '../errors/cli.ts'
import type { Context } from './context.ts'

/**
 * The node that the account in use runs as operator, with the unlocked key.
 * @throws CUCKOO_OPERATOR_NOT_REGISTERED when the key is nobody's current operator, or the node has another role
 */
export async function getOwnNode(context: Context<never>, role: Role): Promise<{ chain: Chain; signer: Signer; node: Address; record: NodeRecord }> {
  const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner()]
  const found = await chain.findOperator(signer.address)
  const record = found === null ? null : await chain.getNode(found.node)
  if (found === null || record === null || record.role !== role || record.operator !== signer.address) {
    throw operatorNotRegistered({ operator: signer.address, role, network: chain.deployment.network })
  }
  return { chain, signer, node: found.node, record }
}
