import { BlockNotFoundError } from 'viem'
import type { Address, Hash } from '../domain/hex.ts'
import { type NodeRecord, type Profile, type Role, roleNumbers } from '../domain/node.ts'
import { chainUnsettled } from '../errors/chain.ts'
import { toChainError } from './chainErrors.ts'
import { type ChainContext, readStaking } from './context.ts'
import { toNodeRecord } from './nodeRecord.ts'
import { readEvents } from './stakingEvents.ts'

export interface BlockRef {
  number: bigint
  hash: Hash
  /** unix seconds */
  timestamp: number
}

/** Registered nodes at one block, with what their events say beyond the views. */
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
const attempts = 3

/** Block `at`, or that of a tag. @throws CUCKOO_CHAIN_UNSETTLED when the chain has no such block (any more) */
export async function readBlock(context: ChainContext, at: bigint | 'latest' | 'finalized'): Promise<BlockRef> {
  try {
    const block = await context.client.getBlock(typeof at === 'bigint' ? { blockNumber: at } : { blockTag: at })
    return { number: block.number, hash: block.hash, timestamp: Number(block.timestamp) }
  } catch (cause) {
    if (cause instanceof BlockNotFoundError) throw chainUnsettled({ block: String(at) }, { cause })
    throw toChainError(cause, 'getBlock')
  }
}

/** Runs `read` on a block and keeps the result only when that block is still the chain's afterwards. @throws CUCKOO_CHAIN_UNSETTLED after three blocks that were replaced */
export async function readSettled<T>(context: ChainContext, findBlock: () => Promise<BlockRef>, read: (block: BlockRef) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const block = await findBlock()
    const result = await read(block)
    if ((await readBlock(context, block.number)).hash === block.hash) return result
    if (attempt === attempts) throw chainUnsettled({ block: String(block.number) })
  }
}

/** The whole node set at `block`: the lists by pages, profiles from events. */
export async function readNodeSet(context: ChainContext, block: BlockRef, roles: readonly Role[]): Promise<NodeSetAt> {
  const fromBlock = BigInt(context.deployment.deploymentBlock)
  const [views, profileEvents, shareEvents] = await Promise.all([
    Promise.all(roles.map((role) => readViews(context, role, block.number))),
    readEvents(context, { eventName: 'ProfileSet', fromBlock, toBlock: block.number }),
    readEvents(context, { eventName: 'VoterShareSet', fromBlock, toBlock: block.number }),
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
  const events = await readEvents(context, { fromBlock: set.block.number + 1n, toBlock: block.number })
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
  const views = await Promise.all([...touched].map((node) => readStaking(context, 'getNode', [node], block.number)))
  for (const view of views) {
    const record = toNodeRecord(view, profiles.get(toAddress(view.owner)) ?? null)
    if (record.role === 'none') nodes.delete(record.node)
    else nodes.set(record.node, record)
  }
  return { block, nodes, profiles, shareChanges }
}

async function readViews(context: ChainContext, role: Role, blockNumber: bigint) {
  const number = roleNumbers[role]
  const count = await readStaking(context, 'nodeCount', [number], blockNumber)
  const offsets = Array.from({ length: Math.ceil(Number(count) / Number(pageSize)) }, (_, page) => BigInt(page) * pageSize)
  return (await Promise.all(offsets.map((offset) => readStaking(context, 'getNodes', [number, offset, pageSize], blockNumber)))).flat()
}

function toAddress(address: string): Address {
  return address.toLowerCase() as Address
}
