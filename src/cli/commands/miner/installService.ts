import { homedir } from 'node:os'
import { z } from 'zod'
import { optionUnfit } from '../../../errors/cli.ts'
import { minerModelsMissing } from '../../../errors/miner.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { foldCommand } from '../../fold.ts'
import { minerOptions } from '../../minerOptions.ts'
import { parseModel } from '../../modelSources.ts'
import { createMinerService } from '../../service/minerService.ts'
import { getServicePlatform, removeServiceFile, type ServicePlatform, writeServiceFile } from '../../service/servicePlatform.ts'
import type { ServiceSpec } from '../../service/serviceSpec.ts'

const options = z.object({
  ...minerOptions,
  user: z.boolean().default(false).describe('of this user alone; default: of the machine'),
  print: z.boolean().default(false).describe('print the file and write nothing'),
  uninstall: z.boolean().default(false).describe('remove the file'),
})

export const minerInstallService = defineCommand({
  description: `Writes the file that lets systemd, launchd or the Windows Task Scheduler run \`miner start\`
with these options: from the start of the machine, again after a crash and after exit code
75, with no rights that it does not need. Passwords stay in their file. Nothing is started:
the commands for that are printed.`,
  examples: [
    { command: 'cuckoo miner install-service --user --account bob-op --password-file ~/.cuckoo/bob.password --model cuckoo/storyteller', note: 'of this user' },
    {
      command: 'cuckoo miner install-service --account bob-op --password-file /etc/cuckoo/password --model cuckoo/blocks --print',
      note: 'send it to `sudo tee` yourself',
    },
    { command: 'cuckoo miner install-service --user --uninstall', note: 'take it away' },
  ],
  args: z.object({}),
  options,
  output: z.object({
    manager: z.enum(['systemd', 'launchd', 'Task Scheduler']),
    path: z.string(),
    done: z.enum(['written', 'printed', 'removed', 'absent']),
    text: z.string(),
    next: z.array(z.string()).describe('commands to type now'),
  }),
  async run({ options: chosen }, context) {
    const scope = chosen.user ? 'user' : 'system'
    if (chosen.uninstall && chosen.print) throw optionUnfit({ option: '--print', where: 'beside --uninstall' })
    if (chosen.uninstall) return uninstall(toBareSpec(context, scope))
    const { model: models } = chosen
    if (models.length === 0) throw minerModelsMissing({})
    for (const model of models) parseModel(model, context.command, '--model')
    const platform = getPlatform(await createMinerService(context, chosen, scope))
    if (!chosen.print) await writeServiceFile(platform)
    return toReport(platform, chosen.print ? 'printed' : 'written', platform.start)
  },
  view({ done, path, text, next, manager }, screen) {
    // What is printed goes into a file: nothing but the text.
    if (done === 'printed') return screen.write(text)
    if (done === 'absent') return screen.line(`There is no ${path}: nothing was done.`)
    screen.line(done === 'written' ? `Wrote ${path} for ${manager}. Start it:` : `Removed ${path}. End what still runs:`)
    for (const command of next) screen.line(foldCommand(command, screen.columns, '  '))
  },
})

async function uninstall(spec: ServiceSpec) {
  const platform = getPlatform(spec)
  const wasThere = await removeServiceFile(platform)
  return toReport({ ...platform, text: '' }, wasThere ? 'removed' : 'absent', wasThere ? platform.stop : [])
}

function getPlatform(spec: ServiceSpec): ServicePlatform {
  return getServicePlatform(spec, { platform: process.platform, homeFolder: homedir() })
}

function toReport({ manager, path, text }: ServicePlatform, done: 'written' | 'printed' | 'removed' | 'absent', next: readonly string[]) {
  return { manager, path, done, text, next: [...next] }
}

/** Enough to know where the file lies. */
function toBareSpec({ config }: Context<never>, scope: ServiceSpec['scope']): ServiceSpec {
  return { description: '', command: ['cuckoo'], scope, user: '', home: config.values.home, stopSeconds: 0 }
}
