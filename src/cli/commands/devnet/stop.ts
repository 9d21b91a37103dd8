import { z } from 'zod'
import { stopDevnet } from '../../../devnet/controlDevnet.ts'
import { defineCommand } from '../../defineCommand.ts'

export const devnetStop = defineCommand({
  description: 'Ends the devnet of this home and waits until all its processes are gone.',
  examples: [{ command: 'cuckoo devnet stop', note: 'its chain is forgotten, its accounts are kept' }],
  args: z.object({}),
  options: z.object({}),
  output: z.object({ pid: z.int() }),
  async run(_input, context) {
    return { pid: (await stopDevnet(context.config.values.home)).pid }
  },
  view(_stopped, screen) {
    screen.line('The devnet has ended.')
  },
})
