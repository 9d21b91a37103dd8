import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { zMinerStatus } from '../../../api/minerStatus.ts'
import { defineCommand } from '../../defineCommand.ts'
import { getRunningMiner, minerArgument } from '../../minerControl.ts'
import { formatMinerStatus } from '../../minerView.ts'

const refreshMs = 1_000

export const minerStatus = defineCommand({
  description: `Shows the miner that runs in this home: its models and devices, what each coordinator
gives, pays and says, running tasks, figures per kind, and tasks that ended its process.
At a terminal the view is kept current until Ctrl-C.`,
  examples: [
    { command: 'cuckoo miner status', note: 'every second' },
    { command: 'cuckoo miner status --once', note: 'and back to the prompt' },
    { command: 'cuckoo miner status dev-miner-1 --json', note: 'one of several, for scripts' },
  ],
  args: z.object(minerArgument),
  options: z.object({ once: z.boolean().default(false).describe('show it once, at a terminal too') }),
  output: zMinerStatus,
  async run({ args, options }, context) {
    const { client, status } = await getRunningMiner(context, args.miner)
    const frames = options.once ? null : context.output.openFrames()
    if (frames === null) return status ?? (await client.getMinerStatus({}))
    while (!context.signal.aborted) {
      frames.show(formatMinerStatus(await client.getMinerStatus({}), context.output, context.ports.clock.nowMs()))
      await sleep(refreshMs, undefined, { signal: context.signal })
    }
    return undefined
  },
  view(status, screen, context) {
    for (const line of formatMinerStatus(status, screen, context.ports.clock.nowMs())) screen.line(line)
  },
})
