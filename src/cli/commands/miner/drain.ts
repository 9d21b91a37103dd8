import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { ControlClient } from '../../../api/controlClient.ts'
import { controlFailed } from '../../../errors/control.ts'
import { isError } from '../../../errors/cuckooError.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatShort } from '../../format.ts'
import { getRunningMiner, minerArgument } from '../../minerControl.ts'
import { formatTasks, type MinerPhase, toMinerPhase, zMinerPhase } from '../../minerPhase.ts'
import { zDuration } from '../../schemas.ts'

const lookMs = 250

export const minerDrain = defineCommand({
  description: `Ends the miner of this home without loss: it takes no more tasks, running ones end and
are delivered, then its process exits with 0.`,
  examples: [
    { command: 'cuckoo miner drain --wait', note: 'come back when it has ended' },
    { command: 'cuckoo miner drain --grace 0s', note: 'at once: running tasks go to other miners' },
  ],
  args: z.object(minerArgument),
  options: z.object({
    grace: zDuration.prefault('10m').describe('how long running tasks may take').meta({ placeholder: 'duration' }),
    wait: z.boolean().default(false).describe('come back when its process has ended'),
  }),
  output: zMinerPhase,
  async run({ args, options }, context) {
    const { client } = await getRunningMiner(context, args.miner)
    const phase = toMinerPhase(await client.drainMiner({ body: { graceMs: options.grace } }))
    return options.wait ? waitForEnd(client, phase, context) : phase
  },
  view({ node, phase, runningTasks }, screen) {
    if (phase === 'stopped') return screen.line(`Miner ${formatShort(node)} has ended.`)
    screen.line(`Miner ${formatShort(node)} takes no new tasks, and ends after ${formatTasks(runningTasks)}.`)
  },
})

async function waitForEnd(client: ControlClient, first: MinerPhase, context: Context<MinerPhase>): Promise<MinerPhase> {
  const spinner = await context.output.spin('')
  try {
    for (let now = first; ; now = toMinerPhase(await client.getMinerStatus({}))) {
      spinner.update(`waiting for ${formatTasks(now.runningTasks)}`)
      await sleep(lookMs, undefined, { signal: context.signal })
    }
  } catch (error) {
    if (!isError(error, controlFailed)) throw error
    return { ...first, phase: 'stopped', runningTasks: 0 }
  } finally {
    spinner.stop()
  }
}
