import type { Address } from '../../domain/hex.ts'
import { readBlock } from '../blocks.ts'
import type { ChainContext } from '../context.ts'
import { readEvents } from '../contractEvents.ts'

/** Every key that was ever `node`'s operator, the newest first (OperatorSet events). */
export async function getOperators(context: ChainContext, node: Address): Promise<Address[]> {
  const { number } = await readBlock(context, 'latest')
  const events = await readEvents(context, 'staking', { eventName: 'OperatorSet', args: { node }, toBlock: number })
  return [...new Set(events.reverse().map(({ args }) => args.operator.toLowerCase() as Address))]
}
