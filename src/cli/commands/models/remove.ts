import { z } from 'zod'
import { formatBytes } from '../../../config/bytes.ts'
import { defineCommand } from '../../defineCommand.ts'
import { parseModel } from '../../modelSources.ts'
import { zCached } from '../../modelViews.ts'

export const modelsRemove = defineCommand({
  description: `Deletes a model from the cache, at one commit or at all, and says what that frees. A
miner that runs it keeps running; what ships with cuckoo cannot be removed. Models that
were allowed once stay allowed.`,
  examples: [
    { command: 'cuckoo models remove owner/model', note: 'all of its commits' },
    { command: 'cuckoo models remove owner/model@c0ffee123456 --dry-run', note: 'what one commit would free' },
  ],
  args: z.object({ model: z.string().min(1).describe('owner/model[@revision]') }),
  options: z.object({ dryRun: z.boolean().default(false).describe('only say what it would free') }),
  output: z.object({ removed: z.array(zCached), freedBytes: z.int(), dryRun: z.boolean() }),
  async run({ args, options: { dryRun } }, context) {
    const { model, revision } = parseModel(args.model, context.command)
    const removed = await (await context.ports.getModelCache()).remove({ model, revision }, { dryRun })
    return { removed, freedBytes: removed.reduce((sum, { bytes }) => sum + bytes, 0), dryRun }
  },
  view({ removed, freedBytes, dryRun }, screen) {
    for (const { model, revision, bytes } of removed)
      screen.line(`${dryRun ? 'would remove' : 'removed'} ${model}@${revision.slice(0, 12)}  ${formatBytes(bytes)}`)
    screen.line(dryRun ? `Would free ${formatBytes(freedBytes)}. Nothing was removed.` : `Freed ${formatBytes(freedBytes)}.`)
  },
})
