import type { NodeRecord, Role } from '../../domain/node.ts'
import type { ChainContext } from '../context.ts'
import { readBlock, readNodeSet, readSettled } from '../nodeSet.ts'

/** All registered nodes of `role`, at one block. */
export async function getNodes(context: ChainContext, role: Role): Promise<NodeRecord[]> {
  const set = await readSettled(
    context,
    () => readBlock(context, 'latest'),
    (block) => readNodeSet(context, block, [role]),
  )
  return [...set.nodes.values()]
}
