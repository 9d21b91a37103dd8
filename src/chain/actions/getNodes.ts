import type { NodeRecord, Role } from '../../domain/node.ts'
import { readLatest } from '../blocks.ts'
import type { ChainContext } from '../context.ts'
import { readNodeSet } from '../nodeSet.ts'

/** All registered nodes of `role`, at one block. */
export async function getNodes(context: ChainContext, role: Role): Promise<NodeRecord[]> {
  const set = await readLatest(context, (block) => readNodeSet(context, block, [role]))
  return [...set.nodes.values()]
}
