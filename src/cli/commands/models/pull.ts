import { z } from 'zod'
import { formatBytes } from '../../../config/bytes.ts'
import { formatDuration } from '../../../config/duration.ts'
import { dtypes } from '../../../domain/manifest.ts'
import { modelBundled } from '../../../errors/inference.ts'
import { defineCommand } from '../../defineCommand.ts'
import { createDownloadView } from '../../downloadView.ts'
import { findModelSource, parseModel } from '../../modelSources.ts'
import { showFindings, showManifest, zInspected, zModelArgument } from '../../modelViews.ts'

export const modelsPull = defineCommand({
  description: `Fetches a model of the hub, or what is missing of it, four files at a time, checks every
file against the hub's hashes, and allows this machine's miners to load it: that is your
consent to the manifest that is printed. A branch moves to its newest commit here. What
was cut off goes on where it stopped.`,
  examples: [
    { command: 'cuckoo models pull onnx-community/Qwen2.5-0.5B-Instruct:q4', note: 'its newest commit' },
    { command: 'cuckoo models pull owner/t5#translation@v1.0', note: 'a tag, where the files do not tell the kind' },
    { command: 'CUCKOO_MODELS_BUDGET=50GB cuckoo models pull owner/model', note: 'within a limit for all models' },
  ],
  args: z.object({ model: zModelArgument }),
  options: z.object({ dtype: z.enum(dtypes).default('fp32').describe('weights, where the model names none').meta({ placeholder: 'dtype' }) }),
  output: zInspected.extend({ path: z.string(), downloadedBytes: z.int(), previousRevision: z.string().nullable(), seconds: z.number() }),
  async run({ args, options }, context) {
    const typed = parseModel(args.model, context.command)
    const { model, dtype, kind, revision } = typed
    if ((await findModelSource(context, typed, undefined)).from === 'bundled') throw modelBundled({ model })
    const wanted = { model, dtype: dtype ?? options.dtype, kind: kind ?? undefined, revision }
    const { nowMs } = context.ports.clock
    const [startedAtMs, cache] = [nowMs(), await context.ports.getModelCache()]
    const view = await createDownloadView(context.output, { label: `${model} ${wanted.dtype}`, nowMs })
    try {
      const pulled = await cache.pull(wanted, { onProgress: view.update, signal: context.signal })
      return { ...pulled, seconds: (nowMs() - startedAtMs) / 1_000 }
    } finally {
      view.stop()
    }
  },
  view({ findings, path, downloadedBytes, previousRevision, seconds, ...inspected }, screen) {
    showManifest(inspected, screen)
    screen.line(`in ${path}`)
    showFindings(findings, screen)
    if (previousRevision !== null) screen.line(`The branch stood for ${previousRevision.slice(0, 12)} here before.`)
    const took = downloadedBytes === 0 ? 'All of it was here.' : `Downloaded ${formatBytes(downloadedBytes)} in ${formatDuration(seconds)}.`
    screen.line(`${took} Miners of this machine may load it.`)
  },
})
