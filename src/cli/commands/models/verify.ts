import { z } from 'zod'
import { formatBytes } from '../../../config/bytes.ts'
import { modelsCacheAltered } from '../../../errors/inference.ts'
import { defineCommand } from '../../defineCommand.ts'
import { createDownloadView } from '../../downloadView.ts'
import { parseModel } from '../../modelSources.ts'

const zAltered = z.object({ path: z.string(), expected: z.string(), found: z.string(), repaired: z.boolean() })

export const modelsVerify = defineCommand({
  description: `Compares every file in the cache with the hash that the hub listed for its commit.
Altered files are set aside as <file>.quarantined; the next start fetches them again, or
--repair does it now. Exit code 65 when one was altered and is not repaired.`,
  examples: [
    { command: 'cuckoo models verify', note: 'the whole cache' },
    { command: 'cuckoo models verify owner/model@main --repair', note: 'one model, altered files fetched again' },
  ],
  args: z.object({ model: z.string().min(1).optional().describe('owner/model[@revision]; default: all') }),
  options: z.object({ repair: z.boolean().default(false).describe('fetch altered files again') }),
  output: z.object({
    models: z.array(z.object({ model: z.string(), revision: z.string(), files: z.int(), bytes: z.int(), altered: z.array(zAltered) })),
    ok: z.boolean(),
  }),
  async run({ args, options }, context) {
    const wanted = args.model === undefined ? null : parseModel(args.model, context.command)
    const cache = await context.ports.getModelCache()
    const view = await createDownloadView(context.output, { label: 'repair', nowMs: context.ports.clock.nowMs })
    const models = await cache.verify(wanted, { repair: options.repair, onProgress: view.update, signal: context.signal }).finally(view.stop)
    const bad = models.flatMap(({ model, altered }) => altered.filter(({ repaired }) => !repaired).map(({ path }) => `${path} of ${model}`))
    context.emit({ models, ok: bad.length === 0 })
    if (bad[0] !== undefined) throw modelsCacheAltered({ files: bad.length, first: bad[0] })
    return undefined
  },
  view({ models, ok }, screen) {
    if (models.length === 0) return screen.line('The cache is empty.')
    screen.table({
      columns: [{ title: 'model', shrink: true }, { title: 'revision' }, { title: 'files', align: 'right' }, { title: 'size', align: 'right' }, { title: '' }],
      rows: models.map(({ model, revision, files, bytes, altered }) => [
        model,
        revision.slice(0, 12),
        String(files),
        formatBytes(bytes),
        altered.length === 0 ? 'ok' : `${altered.length} altered`,
      ]),
    })
    for (const { model, altered } of models)
      for (const { path, expected, found, repaired } of altered) {
        screen.line(`\n${model} ${path}: ${repaired ? 'fetched again' : screen.style('red', 'set aside')}`)
        screen.line(`  expected ${expected}`)
        screen.line(`  found    ${found}`)
      }
    if (ok) screen.line('\nEvery file is the one that the hub listed.')
  },
})
