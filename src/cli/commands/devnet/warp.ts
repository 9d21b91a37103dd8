import { z } from 'zod'
import { warpDevnet } from '../../../devnet/controlDevnet.ts'
import { defineCommand } from '../../defineCommand.ts'
import { zDuration, zSeconds } from '../../schemas.ts'

export const devnetWarp = defineCommand({
  description: "Moves the clock of the devnet's chain forward, so that thaws end without waiting.",
  examples: [{ command: 'cuckoo devnet warp 10m', note: 'ten minutes' }],
  args: z.object({ duration: zDuration.describe('how far, like 10m or 7d').meta({ placeholder: 'duration' }) }),
  options: z.object({}),
  output: z.object({ timestamp: zSeconds }),
  async run({ args }, context) {
    return { timestamp: await warpDevnet(context.config.values.home, Math.ceil(args.duration / 1000)) }
  },
  view({ timestamp }, screen) {
    screen.line(`The chain's clock says ${new Date(timestamp * 1000).toLocaleString()}.`)
  },
})
