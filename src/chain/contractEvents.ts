import { BaseError, type ContractEventName, type GetContractEventsReturnType, ResponseBodyTooLargeError, RpcRequestError } from 'viem'
import type { Address } from '../domain/hex.ts'
import { type Abis, abis, type ContractName } from './abis.ts'
import { type ChainContext, runRpc } from './context.ts'

type EventName<C extends ContractName> = ContractEventName<Abis[C]>
export type Events<C extends ContractName, N extends EventName<C> | undefined> = GetContractEventsReturnType<Abis[C], N, true>

/** Indexed arguments that events are selected by: one value, or any of several. */
export interface EventArguments {
  node?: Address
  account?: Address
  coordinator?: Address
  miner?: Address
  caseId?: bigint | readonly bigint[]
  claimId?: readonly bigint[]
  round?: number
}

export interface EventFilter<N> {
  /** left out: all events */
  eventName?: N
  args?: EventArguments
  /** default: the deployment's first block */
  fromBlock?: bigint
  toBlock: bigint
}

/**
 * Events of a contract in blocks `fromBlock` to `toBlock`, both included, in order. Where an RPC refuses the range or the answer
 * is too large, it is read in halves.
 */
export function readEvents<C extends ContractName, N extends EventName<C> | undefined = undefined>(
  context: ChainContext,
  contract: C,
  filter: EventFilter<N>,
): Promise<Events<C, N>> {
  const { eventName, args, fromBlock = BigInt(context.deployment.deploymentBlock), toBlock } = filter
  if (fromBlock > toBlock) return Promise.resolve([] as unknown as Events<C, N>)
  const address = context.deployment.contracts[contract]
  return runRpc('getLogs', async () => {
    try {
      // viem cannot check `args` against `eventName` while it is a type parameter.
      const query = { address, abi: abis[contract], eventName, args, fromBlock, toBlock, strict: true }
      return (await context.client.getContractEvents(query as never)) as unknown as Events<C, N>
    } catch (error) {
      if (fromBlock === toBlock || !isRangeRefused(error)) throw error
      const middle = (fromBlock + toBlock) / 2n
      const first = await readEvents(context, contract, { ...filter, fromBlock, toBlock: middle })
      const second = await readEvents(context, contract, { ...filter, fromBlock: middle + 1n, toBlock })
      return [...first, ...second] as unknown as Events<C, N>
    }
  })
}

/** RPCs limit ranges with codes of their own choice, so any refusal that comes with HTTP 200 may mean the range. */
function isRangeRefused(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false
  if (error.walk((cause) => cause instanceof ResponseBodyTooLargeError) !== null) return true
  const refused = error.walk((cause) => cause instanceof RpcRequestError)
  return refused instanceof RpcRequestError && refused.status === undefined
}

const blocksAtOnce = 20

/** Unix seconds of each event's block, by block number. Nodes that tell them with the events are not asked again. */
export async function readTimestamps(
  context: ChainContext,
  events: readonly { blockNumber: bigint; blockTimestamp?: bigint | undefined }[],
): Promise<ReadonlyMap<bigint, number>> {
  const timestamps = new Map<bigint, number>()
  for (const { blockNumber, blockTimestamp } of events) if (blockTimestamp !== undefined) timestamps.set(blockNumber, Number(blockTimestamp))
  const missing = [...new Set(events.map(({ blockNumber }) => blockNumber))].filter((number) => !timestamps.has(number))
  for (let start = 0; start < missing.length; start += blocksAtOnce) {
    const page = missing.slice(start, start + blocksAtOnce)
    const blocks = await runRpc('getBlock', () => Promise.all(page.map((blockNumber) => context.client.getBlock({ blockNumber }))))
    for (const { number, timestamp } of blocks) timestamps.set(number, Number(timestamp))
  }
  return timestamps
}
