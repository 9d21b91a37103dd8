import type { Address } from '../../domain/hex.ts'
import type { ChainContext } from '../context.ts'
import { readBlock } from '../nodeSet.ts'
import { readEvents } from '../stakingEvents.ts'

/** Every key that was ever `node`'s operator, the newest first (OperatorSet events). */
export async function getOperators(context: ChainContext, node: Address): Promise<Address[]> {
  const { number } = await readBlock(context, 'latest')
  const events = await readEvents(context, { eventName: 'OperatorSet', args: { node }, fromBlock: BigInt(context.deployment.deploymentBlock), toBlock: number })
  return [...new Set(events.reverse().map(({ args }) => args.operator.toLowerCase() as Address))]
}
