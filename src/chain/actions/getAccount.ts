import type { AccountRecord, Thaw, VotePosition } from '../../domain/chainPort.ts'
import type { Address } from '../../domain/hex.ts'
import { type ChainContext, readStaking, runRpc } from '../context.ts'
import { readBlock, readSettled } from '../nodeSet.ts'
import { readEvents } from '../stakingEvents.ts'
import { getNode } from './getNode.ts'

// Each id costs the call five slots, about 10,000 gas.
const thawPageSize = 100n

/** Every bucket of `account` at one block. Its votes are found by its Voted events. */
export function getAccount(context: ChainContext, account: Address): Promise<AccountRecord> {
  return readSettled(
    context,
    () => readBlock(context, 'latest'),
    async ({ number: blockNumber, timestamp }) => {
      const [{ freeWei, bondWei, thawCount }, walletWei, node, votes] = await Promise.all([
        readStaking(context, 'getAccount', [account], blockNumber),
        runRpc('getBalance', () => context.client.getBalance({ address: account, blockNumber })),
        getNode(context, account, blockNumber),
        readVotes(context, account, blockNumber),
      ])
      const thaws = await readThaws(context, account, thawCount, blockNumber)
      // Registering takes nonce 0, so a node that never registered still has it.
      return { account, walletWei, freeWei, bondWei, votes, thaws, node: node.nonce === 0n ? null : node, blockNumber, blockTimestamp: timestamp }
    },
  )
}

async function readVotes(context: ChainContext, account: Address, blockNumber: bigint): Promise<VotePosition[]> {
  const fromBlock = BigInt(context.deployment.deploymentBlock)
  const events = await readEvents(context, { eventName: 'Voted', args: { account }, fromBlock, toBlock: blockNumber })
  const nodes = [...new Set(events.map(({ args }) => args.node.toLowerCase() as Address))]
  const positions = await Promise.all(
    nodes.map(async (node) => {
      const [shares, amountWei] = await readStaking(context, 'votesOf', [account, node], blockNumber)
      return { node, shares, amountWei }
    }),
  )
  return positions.filter(({ shares }) => shares > 0n)
}

async function readThaws(context: ChainContext, account: Address, thawCount: bigint, blockNumber: bigint): Promise<Thaw[]> {
  const offsets = Array.from({ length: Math.ceil(Number(thawCount) / Number(thawPageSize)) }, (_, page) => BigInt(page) * thawPageSize)
  const pages = await Promise.all(offsets.map((offset) => readStaking(context, 'getThaws', [account, offset, thawPageSize], blockNumber)))
  return pages.flat().map(({ id, node, kind, amountWei, releaseAt }) => ({
    id,
    node: node.toLowerCase() as Address,
    kind: kind === 0 ? 'bond' : 'votes',
    amountWei,
    releaseAt: Number(releaseAt),
  }))
}
