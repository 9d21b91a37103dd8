import { setTimeout as sleep } from 'node:timers/promises'
import type { ChainReader, NodeSet, NodeSetWatch } from '../domain/chainPort.ts'
import { type BlockRef, readBlock, readSettled } from './blocks.ts'
import { createRpcClient } from './client.ts'
import type { ChainContext } from './context.ts'
import { advanceNodeSet, type NodeSetAt, readNodeSet } from './nodeSet.ts'

const roles = ['miner', 'coordinator'] as const

/**
 * The node set `confirmations` blocks behind the latest, read whole once and then followed by events every `pollMs`. When the
 * block it stands on is no longer the chain's (a reorg), it is read whole again. A refresh that fails is told to `onError`.
 * @throws CUCKOO_CHAIN_RPC_UNAVAILABLE, CUCKOO_CHAIN_CONTRACT_MISSING when the first reading fails
 */
export async function watchNodes(chain: ChainContext, options: Parameters<ChainReader['watchNodes']>[0]): Promise<NodeSetWatch> {
  const stopping = new AbortController()
  // Its own client, so that stopping ends what is under way.
  const context: ChainContext = { ...chain, client: createRpcClient({ ...chain.rpc, signal: stopping.signal }) }
  const listeners = new Set<(set: NodeSet) => void>()

  const findHead = async (): Promise<BlockRef> => {
    const latest = await readBlock(context, 'latest')
    const first = BigInt(context.deployment.deploymentBlock)
    const wanted = latest.number - BigInt(options.confirmations)
    // Right after the deployment there are no confirmed blocks with the contract in them yet.
    const number = wanted > first ? wanted : first
    return number >= latest.number ? latest : readBlock(context, number)
  }

  let current = await readSettled(context, findHead, (block) => readNodeSet(context, block, roles))
  let refreshedMs = performance.now()

  const findNext = (): Promise<NodeSetAt> =>
    readSettled(context, findHead, async (head) => {
      if (head.hash === current.block.hash) return current
      const isAhead = head.number > current.block.number
      const isAncestor = isAhead && (await readBlock(context, current.block.number)).hash === current.block.hash
      if (!isAncestor) return readNodeSet(context, head, roles)
      return (await advanceNodeSet(context, current, head)) ?? { ...current, block: head }
    })

  const refresh = async (): Promise<void> => {
    const previous = current
    current = await findNext()
    refreshedMs = performance.now()
    if (current.nodes !== previous.nodes) for (const listener of listeners) listener(toNodeSet(current))
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await sleep(options.pollMs, undefined, { signal: stopping.signal })
        await refresh()
      } catch (error) {
        if (!stopping.signal.aborted) options.onError?.(error)
      }
    }
  }
  const running = run()

  return {
    current: () => toNodeSet(current),
    ageMs: () => performance.now() - refreshedMs,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

function toNodeSet({ block, nodes }: NodeSetAt): NodeSet {
  return { blockNumber: block.number, blockTimestamp: block.timestamp, nodes }
}
