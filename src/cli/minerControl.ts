import type { ControlClient } from '../api/controlClient.ts'
import type { MinerStatus } from '../api/minerStatus.ts'
import type { Address } from '../domain/hex.ts'
import { controlFailed, minerAmbiguous, minerNotRunning } from '../errors/control.ts'
import { isError } from '../errors/cuckooError.ts'
import type { Context } from './context.ts'
import { getParty } from './party.ts'
import { zParty } from './schemas.ts'

export const minerArgument = { miner: zParty.optional().describe('node, operator or account; default: the one that runs here') }

interface LiveMiner {
  node: Address
  client: ControlClient
  /** null while it starts */
  status: MinerStatus | null
}

/**
 * The miner that runs in this home: the named one, that of the account in use where several run, else the only one.
 * @throws CUCKOO_CONTROL_MINER_NOT_RUNNING, CUCKOO_CONTROL_MINER_AMBIGUOUS
 */
export async function getRunningMiner(context: Context<never>, named: string | undefined): Promise<LiveMiner> {
  const { ports, config } = context
  const live = await listLive(context)
  const account = config.findRaw('account')
  const isNamed = named !== undefined || account?.source.kind === 'flag'
  const wanted = named !== undefined ? await getParty(context, named) : account === undefined ? null : (await ports.getOwn()).address
  const found = live.find(({ node, status }) => node === wanted || status?.operator === wanted)
  if (found !== undefined) return found
  const [first, second] = live
  if (first !== undefined && second === undefined && !isNamed) return first
  if (first === undefined || isNamed) {
    const { network } = await ports.getDeployment()
    throw minerNotRunning({ network, node: isNamed ? wanted : null, home: config.values.home })
  }
  throw minerAmbiguous({ command: context.command, nodes: live.map(({ node }) => node) })
}

/** Those that answer, be it that they are starting. */
async function listLive({ ports }: Context<never>): Promise<LiveMiner[]> {
  const controls = await ports.listMinerControls()
  const answers = await Promise.all(
    controls.map(async ({ node, client }) => {
      try {
        return [{ node, client, status: await client.getMinerStatus({}) }]
      } catch (error) {
        return isError(error, controlFailed) ? [] : [{ node, client, status: null }]
      }
    }),
  )
  return answers.flat()
}
