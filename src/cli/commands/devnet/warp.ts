import { z } from 'zod'
import { formatDuration } from '../../../config/duration.ts'
import { warpDevnet } from '../../../devnet/controlDevnet.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatTime } from '../../format.ts'
import { zDuration } from '../../schemas.ts'

export const devnetWarp = defineCommand({
  description: "Moves the clock of the devnet's chain forward: thaws that end before then are over.",
  examples: [{ command: 'cuckoo devnet warp 7d', note: 'a week at once' }],
  args: z.object({ duration: zDuration.describe('like 90s, 12h or 7d') }),
  options: z.object({}),
  output: z.object({ warpedSeconds: z.int(), blockTimestamp: z.int() }),
  async run({ args }, { config }) {
    const warpedSeconds = Math.ceil(args.duration / 1000)
    return { warpedSeconds, blockTimestamp: await warpDevnet(config.values.home, warpedSeconds) }
  },
  view({ warpedSeconds, blockTimestamp }, screen) {
    screen.line(`${formatDuration(warpedSeconds)} later: the devnet's clock shows ${formatTime(blockTimestamp)}.`)
  },
})
