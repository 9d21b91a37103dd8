import type { AccountRecord, Thaw, VotePosition } from '../../domain/chainPort.ts'
import type { Address } from '../../domain/hex.ts'
import { readLatest } from '../blocks.ts'
import { type ChainContext, readContract, runRpc } from '../context.ts'
import { readEvents } from '../contractEvents.ts'
import { toAddress } from '../toAddress.ts'
import { getCredits } from './getCredits.ts'
import { getNode } from './getNode.ts'

// Each id costs the call five slots, about 10,000 gas.
const thawPageSize = 100

/** Every bucket of `account` at one block. Its votes are found by its Voted events, its exits by its ThawStarted events. */
export function getAccount(context: ChainContext, account: Address): Promise<AccountRecord> {
  return readLatest(context, async ({ number: blockNumber, timestamp }) => {
    const [{ freeWei, bondWei }, rewardsWei, walletWei, node, votes, thaws, credits] = await Promise.all([
      readContract(context, 'staking', 'getAccount', [account], blockNumber),
      readContract(context, 'staking', 'rewardsOf', [account], blockNumber),
      runRpc('getBalance', () => context.client.getBalance({ address: account, blockNumber })),
      getNode(context, account, blockNumber),
      readVotes(context, account, blockNumber),
      readThaws(context, account, blockNumber),
      getCredits(context, account, blockNumber),
    ])
    // Registering takes nonce 0, so a node that never registered still has it.
    const ownNode = node.nonce === 0n ? null : node
    return { account, walletWei, freeWei, bondWei, votes, thaws, node: ownNode, rewardsWei, credits, blockNumber, blockTimestamp: timestamp }
  })
}

async function readVotes(context: ChainContext, account: Address, blockNumber: bigint): Promise<VotePosition[]> {
  const events = await readEvents(context, 'staking', { eventName: 'Voted', args: { account }, toBlock: blockNumber })
  const nodes = [...new Set(events.map(({ args }) => toAddress(args.node)))]
  const positions = await Promise.all(
    nodes.map(async (node) => {
      const [shares, amountWei] = await readContract(context, 'staking', 'votesOf', [account, node], blockNumber)
      return { node, shares, amountWei }
    }),
  )
  return positions.filter(({ shares }) => shares > 0n)
}

/** Exits under way, the oldest first. Those of one node, kind and second share an id. */
async function readThaws(context: ChainContext, account: Address, blockNumber: bigint): Promise<Thaw[]> {
  const events = await readEvents(context, 'staking', { eventName: 'ThawStarted', args: { account }, toBlock: blockNumber })
  const ids = [...new Set(events.map(({ args }) => args.id))]
  const pages = Array.from({ length: Math.ceil(ids.length / thawPageSize) }, (_, page) => ids.slice(page * thawPageSize, (page + 1) * thawPageSize))
  const views = await Promise.all(pages.map((page) => readContract(context, 'staking', 'getThaws', [account, page], blockNumber)))
  return views.flat().map(({ id, node, kind, amountWei, releaseAt }) => ({
    id,
    node: toAddress(node),
    kind: kind === 0 ? 'bond' : 'votes',
    amountWei,
    releaseAt: Number(releaseAt),
  }))
}
