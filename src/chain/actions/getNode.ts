import type { Address } from '../../domain/hex.ts'
import type { NodeRecord } from '../../domain/node.ts'
import { readBlock } from '../blocks.ts'
import { type ChainContext, readContract } from '../context.ts'
import { readEvents } from '../contractEvents.ts'
import { toNodeRecord } from '../nodeRecord.ts'

/** The node of owner `node` at block `blockNumber` or the latest, with its profile; role 'none' when it is not registered. */
export async function getNode(context: ChainContext, node: Address, blockNumber?: bigint): Promise<NodeRecord> {
  const toBlock = blockNumber ?? (await readBlock(context, 'latest')).number
  const [view, events] = await Promise.all([
    readContract(context, 'staking', 'getNode', [node], toBlock),
    readEvents(context, 'staking', { eventName: 'ProfileSet', args: { node }, toBlock }),
  ])
  const last = events.at(-1)?.args
  return toNodeRecord(view, last ? { name: last.name, url: last.url, description: last.description } : null)
}
