import type { Address } from '../../domain/hex.ts'
import type { NodeRecord } from '../../domain/node.ts'
import { type ChainContext, readStaking } from '../context.ts'
import { toNodeRecord } from '../nodeRecord.ts'
import { readBlock } from '../nodeSet.ts'
import { readEvents } from '../stakingEvents.ts'

/** The node of owner `node` at block `blockNumber` or the latest, with its profile; role 'none' when it is not registered. */
export async function getNode(context: ChainContext, node: Address, blockNumber?: bigint): Promise<NodeRecord> {
  const toBlock = blockNumber ?? (await readBlock(context, 'latest')).number
  const [view, events] = await Promise.all([
    readStaking(context, 'getNode', [node], toBlock),
    readEvents(context, { eventName: 'ProfileSet', args: { node }, fromBlock: BigInt(context.deployment.deploymentBlock), toBlock }),
  ])
  const last = events.at(-1)?.args
  return toNodeRecord(view, last ? { name: last.name, url: last.url, description: last.description } : null)
}
