import { BlockNotFoundError } from 'viem'
import type { Hash } from '../domain/hex.ts'
import { chainUnsettled } from '../errors/chain.ts'
import { toChainError } from './chainErrors.ts'
import type { ChainContext } from './context.ts'

export interface BlockRef {
  number: bigint
  hash: Hash
  /** unix seconds */
  timestamp: number
}

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

/** What `read` finds at the latest block, when that is still the chain's afterwards. @throws CUCKOO_CHAIN_UNSETTLED */
export function readLatest<T>(context: ChainContext, read: (block: BlockRef) => Promise<T>): Promise<T> {
  return readSettled(context, () => readBlock(context, 'latest'), read)
}
