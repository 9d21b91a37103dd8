import type { Address } from '../domain/hex.ts'
import { type NodeRecord, type Profile, type Role, roleNumbers } from '../domain/node.ts'
import type { BlockRef } from './blocks.ts'
import { type ChainContext, readContract } from './context.ts'
import { readEvents } from './contractEvents.ts'
import { toNodeRecord } from './nodeRecord.ts'
import { toAddress } from './toAddress.ts'

/**
 * Registered nodes at one block, with what their events say beyond the views. Votes and rewards grow by the second: in a set that
 * events keep current they are as of the node's last event. Weight, bond and standing change by events alone.
 */
export interface NodeSetAt {
  block: BlockRef
  nodes: Map<Address, NodeRecord>
  /** last profile of each node that ever set one */
  profiles: Map<Address, Profile>
  /** unix seconds at which a lower voter share takes effect, without an event of its own */
  shareChanges: Map<Address, number>
}

// A NodeView reads nine slots, about 20,000 gas: 200 of them stay far under the 50 million that nodes allow a call.
const pageSize = 200n

/** The whole node set at `block`: the lists by pages, profiles from events. */
export async function readNodeSet(context: ChainContext, block: BlockRef, roles: readonly Role[]): Promise<NodeSetAt> {
  const [views, profileEvents, shareEvents] = await Promise.all([
    Promise.all(roles.map((role) => readViews(context, role, block.number))),
    readEvents(context, 'staking', { eventName: 'ProfileSet', toBlock: block.number }),
    readEvents(context, 'staking', { eventName: 'VoterShareSet', toBlock: block.number }),
  ])
  const profiles = new Map(profileEvents.map(({ args }) => [toAddress(args.node), { name: args.name, url: args.url, description: args.description }]))
  const shareChanges = new Map<Address, number>()
  for (const { args } of shareEvents) if (Number(args.effectiveAt) > block.timestamp) shareChanges.set(toAddress(args.node), Number(args.effectiveAt))
  const records = views.flat().map((view) => toNodeRecord(view, profiles.get(toAddress(view.owner)) ?? null))
  return { block, nodes: new Map(records.map((record) => [record.node, record])), profiles, shareChanges }
}

/**
 * The node set at `block`, from the one at an ancestor: every node that an event between names is read again, and those whose
 * voter share has changed by time. Null when nothing of any node has changed.
 */
export async function advanceNodeSet(context: ChainContext, set: NodeSetAt, block: BlockRef): Promise<NodeSetAt | null> {
  const events = await readEvents(context, 'staking', { fromBlock: set.block.number + 1n, toBlock: block.number })
  const profiles = new Map(set.profiles)
  const shareChanges = new Map(set.shareChanges)
  const touched = new Set<Address>()
  for (const event of events) {
    if (!('node' in event.args)) continue
    const node = toAddress(event.args.node)
    touched.add(node)
    if (event.eventName === 'ProfileSet') profiles.set(node, { name: event.args.name, url: event.args.url, description: event.args.description })
    if (event.eventName === 'VoterShareSet') shareChanges.set(node, Number(event.args.effectiveAt))
  }
  for (const [node, effectiveAt] of shareChanges) {
    if (effectiveAt > block.timestamp) continue
    shareChanges.delete(node)
    touched.add(node)
  }
  if (touched.size === 0) return null
  const nodes = new Map(set.nodes)
  const views = await Promise.all([...touched].map((node) => readContract(context, 'staking', 'getNode', [node], block.number)))
  for (const view of views) {
    const record = toNodeRecord(view, profiles.get(toAddress(view.owner)) ?? null)
    if (record.role === 'none') nodes.delete(record.node)
    else nodes.set(record.node, record)
  }
  return { block, nodes, profiles, shareChanges }
}

async function readViews(context: ChainContext, role: Role, blockNumber: bigint) {
  const number = roleNumbers[role]
  const count = await readContract(context, 'staking', 'nodeCount', [number], blockNumber)
  const offsets = Array.from({ length: Math.ceil(Number(count) / Number(pageSize)) }, (_, page) => BigInt(page) * pageSize)
  return (await Promise.all(offsets.map((offset) => readContract(context, 'staking', 'getNodes', [number, offset, pageSize], blockNumber)))).flat()
}
