import { z } from 'zod'
import { appOptions, openApps, zApp } from '../../apps.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatTime } from '../../format.ts'
import { zAddress } from '../../schemas.ts'

export const appsList = defineCommand({
  examples: [{ command: 'cuckoo apps list', note: 'revoked ones too' }],
  args: z.object({}),
  options: z.object(appOptions),
  output: z.object({ coordinator: zAddress, apps: z.array(zApp) }),
  async run({ options }, context) {
    const { store, coordinator } = await openApps(context, options.coordinator)
    const apps = await store.listApps()
    return {
      coordinator,
      apps: apps.map(({ id, name, keyPrefix, createdAt, revokedAt }) => ({
        id,
        name,
        keyPrefix,
        createdAt: Math.floor(createdAt / 1000),
        revokedAt: revokedAt === null ? null : Math.floor(revokedAt / 1000),
      })),
    }
  },
  view({ apps }, screen) {
    if (apps.length === 0) return screen.line(`No API keys yet: \`${screen.program} apps create <name>\` makes one.`)
    screen.table({
      columns: [{ title: 'id' }, { title: 'name', shrink: true }, { title: 'key' }, { title: 'made' }, { title: 'revoked' }],
      rows: apps.map((app) => [app.id, app.name, `${app.keyPrefix}…`, formatTime(app.createdAt), app.revokedAt === null ? '' : formatTime(app.revokedAt)]),
    })
  },
})
