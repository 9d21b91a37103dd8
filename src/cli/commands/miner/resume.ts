import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { formatShort } from '../../format.ts'
import { getRunningMiner, minerArgument } from '../../minerControl.ts'
import { toMinerPhase, zMinerPhase } from '../../minerPhase.ts'

export const minerResume = defineCommand({
  description: 'Lets a paused miner of this home take tasks again; each model is loaded when a task needs it.',
  examples: [{ command: 'cuckoo miner resume', note: 'after `miner pause`' }],
  args: z.object(minerArgument),
  options: z.object({}),
  output: zMinerPhase,
  async run({ args }, context) {
    const { client } = await getRunningMiner(context, args.miner)
    return toMinerPhase(await client.resumeMiner({}))
  },
  view({ node, phase }, screen) {
    screen.line(`Miner ${formatShort(node)} is ${phase}.`)
  },
})
