import { z } from 'zod'
import { appUnknown } from '../../../errors/cli.ts'
import { appOptions, openApps } from '../../apps.ts'
import { defineCommand } from '../../defineCommand.ts'

export const appsRevoke = defineCommand({
  description: 'Ends an API key. A coordinator that serves refuses it from the next request on.',
  examples: [{ command: 'cuckoo apps revoke app_1f2e3d4c5b6a', note: 'ids: `cuckoo apps list`' }],
  args: z.object({ id: z.string().describe('the app') }),
  options: z.object(appOptions),
  output: z.object({ id: z.string(), name: z.string(), revokedAt: z.int() }),
  async run({ args, options }, context) {
    const { store } = await openApps(context, options.coordinator)
    const revoked = await store.revokeApp(args.id, context.ports.clock.nowMs())
    if (revoked === null) throw appUnknown({ id: args.id })
    return { id: revoked.id, name: revoked.name, revokedAt: Math.floor((revoked.revokedAt ?? 0) / 1000) }
  },
  view({ id, name }, screen) {
    screen.line(`The key of ${name} (${id}) is revoked.`)
  },
})
