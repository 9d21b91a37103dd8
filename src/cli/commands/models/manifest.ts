import { z } from 'zod'
import { dtypes } from '../../../domain/manifest.ts'
import { defineCommand } from '../../defineCommand.ts'
import { writeNewFile } from '../../files.ts'
import { findModelSource, parseModel } from '../../modelSources.ts'
import { showFindings, showManifest, zInspected, zModelArgument } from '../../modelViews.ts'

export const modelsManifest = defineCommand({
  description: `Prints the manifest of a model that is on this machine: its files with their hashes, its
limits, and the digest of all that, which assignments name; and what the linter finds in
its graphs. Nothing is downloaded.`,
  examples: [
    { command: 'cuckoo models manifest cuckoo/storyteller', note: 'of a model that ships with cuckoo' },
    { command: 'cuckoo models manifest owner/model:q8 --out manifest.json', note: 'of a pulled one, into a file' },
    { command: 'cuckoo models manifest me/model --models-dir ~/models', note: 'of a folder, before it is published' },
  ],
  args: z.object({ model: zModelArgument }),
  options: z.object({
    modelsDir: z.string().optional().describe('folder with models in <owner>/<model>, searched first').meta({ config: 'modelsDir', placeholder: 'dir' }),
    dtype: z.enum(dtypes).default('fp32').describe('weights, where the model names none').meta({ placeholder: 'dtype' }),
    out: z.string().optional().describe('write the manifest there').meta({ placeholder: 'file' }),
  }),
  output: zInspected.extend({ source: z.enum(['bundled', 'folder', 'hub']), out: z.string().nullable() }),
  async run({ args, options }, context) {
    const typed = parseModel(args.model, context.command)
    const source = await findModelSource(context, typed, options.modelsDir)
    const wanted = { model: typed.model, dtype: typed.dtype ?? options.dtype, kind: typed.kind ?? undefined, source }
    const inspected = await (await context.ports.getModelCache()).inspect(wanted)
    if (options.out !== undefined) await writeNewFile(options.out, `${JSON.stringify(inspected.manifest, null, 2)}\n`)
    return { ...inspected, source: source.from, out: options.out ?? null }
  },
  view({ manifest, digest, findings, out }, screen) {
    if (out === null) {
      screen.write(`${JSON.stringify(manifest, null, 2)}\n`)
      screen.line(`manifest  ${digest}`)
    } else {
      showManifest({ manifest, digest }, screen)
      screen.line(`written   ${out}`)
    }
    showFindings(findings, screen)
    if (findings.length === 0) screen.line('The linter finds nothing to refuse.')
  },
})
