import { z } from 'zod'
import { createApp } from '../../../coordinator/createApp.ts'
import { coordinatorNotRegistered } from '../../../errors/cli.ts'
import { appOptions, openApps } from '../../apps.ts'
import { defineCommand } from '../../defineCommand.ts'
import { getParty } from '../../party.ts'
import { zAddress } from '../../schemas.ts'

export const appsCreate = defineCommand({
  description: `Makes an API key for an app, on the machine of the coordinator. The key is shown once and
kept only as its hash. A coordinator that serves already takes it at once.`,
  examples: [{ command: 'cuckoo apps create my-app', note: 'prints the key' }],
  args: z.object({ name: z.string().describe('whose key it is, for you') }),
  options: z.object(appOptions),
  output: z.object({ id: z.string(), name: z.string(), key: z.string(), coordinator: zAddress }),
  async run({ args, options }, context) {
    if (options.coordinator !== undefined) {
      const chain = await context.ports.getChain()
      const node = await getParty(context, options.coordinator)
      if ((await chain.getNode(node)).role !== 'coordinator') throw coordinatorNotRegistered({ node, network: chain.deployment.network })
    }
    const { store, coordinator } = await openApps(context, options.coordinator)
    const { app, key } = await createApp(store, { name: args.name, clock: context.ports.clock })
    return { id: app.id, name: app.name, key, coordinator }
  },
  view({ id, name, key }, screen) {
    screen.note(`API key of ${name} (${id}), shown this once:`)
    screen.line(key)
  },
})
