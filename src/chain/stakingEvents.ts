import { BaseError, type ContractEventName, type GetContractEventsReturnType, ResponseBodyTooLargeError, RpcRequestError } from 'viem'
import type { Address } from '../domain/hex.ts'
import { type ChainContext, runRpc } from './context.ts'
import { stakingAbi } from './contracts.generated.ts'

type EventName = ContractEventName<typeof stakingAbi>
type Events<N extends EventName | undefined> = GetContractEventsReturnType<typeof stakingAbi, N, true>

export interface EventFilter<N extends EventName | undefined> {
  /** left out: all events */
  eventName?: N
  /** indexed arguments to select by */
  args?: { node?: Address; account?: Address }
  fromBlock: bigint
  toBlock: bigint
}

/**
 * Events of the staking contract in blocks `fromBlock` to `toBlock`, both included, in order. Where an RPC refuses the range or
 * the answer is too large, it is read in halves.
 */
export function readEvents<N extends EventName | undefined = undefined>(context: ChainContext, filter: EventFilter<N>): Promise<Events<N>> {
  const { eventName, args, fromBlock, toBlock } = filter
  if (fromBlock > toBlock) return Promise.resolve([])
  const address = context.deployment.contracts.staking
  return runRpc('getLogs', async () => {
    try {
      // viem cannot check `args` against `eventName` while it is a type parameter.
      const query = { address, abi: stakingAbi, eventName, args, fromBlock, toBlock, strict: true }
      return (await context.client.getContractEvents(query as never)) as Events<N>
    } catch (error) {
      if (fromBlock === toBlock || !isRangeRefused(error)) throw error
      const middle = (fromBlock + toBlock) / 2n
      const first = await readEvents(context, { ...filter, toBlock: middle })
      return [...first, ...(await readEvents(context, { ...filter, fromBlock: middle + 1n }))]
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
