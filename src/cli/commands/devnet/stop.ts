import { z } from 'zod'
import { stopDevnet } from '../../../devnet/controlDevnet.ts'
import { defineCommand } from '../../defineCommand.ts'

export const devnetStop = defineCommand({
  examples: [{ command: 'cuckoo devnet stop', note: 'ends all its processes' }],
  args: z.object({}),
  options: z.object({}),
  output: z.object({ stopped: z.literal(true), pid: z.int() }),
  async run(_, { config }) {
    return { stopped: true as const, pid: await stopDevnet(config.values.home) }
  },
  view(_, screen) {
    screen.line('The devnet has ended: nothing of it runs any more.')
  },
})
