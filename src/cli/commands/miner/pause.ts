import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { formatShort } from '../../format.ts'
import { getRunningMiner, minerArgument } from '../../minerControl.ts'
import { formatTasks, toMinerPhase, zMinerPhase } from '../../minerPhase.ts'

export const minerPause = defineCommand({
  description: `Lets the miner of this home rest: it takes no more tasks, running ones end, then its
models leave the memory of CPU and GPU. Its process, sessions and bond stay.`,
  examples: [
    { command: 'cuckoo miner pause', note: 'the GPU is wanted for something else' },
    { command: 'cuckoo miner pause --reason "a game"', note: 'status shows the reason' },
  ],
  args: z.object(minerArgument),
  options: z.object({ reason: z.string().min(1).max(200).default('by hand').describe('shown by status').meta({ placeholder: 'text' }) }),
  output: zMinerPhase,
  async run({ args, options }, context) {
    const { client } = await getRunningMiner(context, args.miner)
    return toMinerPhase(await client.pauseMiner({ body: { reason: options.reason } }))
  },
  view({ node, runningTasks }, screen) {
    screen.line(`Miner ${formatShort(node)} takes no new tasks; ${runningTasks === 0 ? 'none runs' : `${formatTasks(runningTasks)} may end first`}.`)
    screen.line(`\`${screen.program} miner resume\` lets it work again.`)
  },
})
