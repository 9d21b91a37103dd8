import { z } from 'zod'
import { deviceNames } from '../../../domain/enginePort.ts'
import type { BenchReport } from '../../../domain/engineTools.ts'
import { dtypes } from '../../../domain/manifest.ts'
import { modelKinds } from '../../../domain/taskKinds.ts'
import { CuckooError } from '../../../errors/cuckooError.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { findModelSources } from '../../modelSources.ts'
import { zInteger } from '../../schemas.ts'

const zSpeed = z.object({ msPerTask: z.number(), perSecond: z.number() })
const zReport = z.object({
  model: z.string(),
  kind: z.enum(modelKinds),
  dtype: z.enum(dtypes),
  device: z.enum(deviceNames),
  deviceReason: z.string(),
  task: z.string(),
  unit: z.enum(['token', 'text', 'image']),
  engine: zSpeed.describe('through worker thread and queue, as a miner runs it'),
  bare: zSpeed.describe('the same work by the runtime alone'),
  addedMs: z.number().describe('what the engine adds to a task'),
  waitingPerSecond: z.number().nullable().describe('embeddings: texts per second of 16 tasks that wait'),
  eventLoopLagMs: z.object({ p50: z.number(), p99: z.number() }),
  rounds: z.int(),
})

export const minerBench = defineCommand({
  description: `Measures models on this machine: tokens per second, images per minute, milliseconds per
embedding, each through cuckoo's engine and, in the same run, by the bare runtime.
Without --model: those that ship with cuckoo. Figures are medians of the rounds.`,
  examples: [
    { command: 'cuckoo miner bench', note: 'the bundled models on the best device' },
    { command: 'cuckoo miner bench --model owner/model:q8 --device cpu --device webgpu', note: 'one model on two devices' },
  ],
  args: z.object({}),
  options: z.object({
    model: z.array(z.string().min(1)).default([]).describe('owner/model[:dtype][#kind][@revision]').meta({ placeholder: 'model' }),
    modelsDir: z.string().optional().describe('folder with models in <owner>/<model>, searched first').meta({ config: 'modelsDir', placeholder: 'dir' }),
    dtype: z.enum(dtypes).default('fp32').describe('weights, where the model names none').meta({ placeholder: 'dtype' }),
    device: z
      .array(z.enum(['auto', ...deviceNames]))
      .default(['auto'])
      .describe('each model on each of these')
      .meta({ placeholder: 'device' }),
    rounds: zInteger(1, 100).prefault('5').describe('runs of each side').meta({ placeholder: 'number' }),
  }),
  output: z.object({ reports: z.array(zReport), skipped: z.array(z.object({ model: z.string(), device: z.string(), reason: z.string() })) }),
  async run({ options }, context) {
    const { model, device: devices, rounds } = options
    const offered = model.length > 0 ? model : (await (await context.ports.getEngine()).listBundledModels()).map((bundled) => bundled.model)
    const tools = await context.ports.getEngineTools()
    const reports: BenchReport[] = []
    const skipped: { model: string; device: string; reason: string }[] = []
    for (const device of devices) {
      const sources = await findModelSources(context as Context<never>, { ...options, model: offered, device })
      for (const source of sources) {
        const spinner = await context.output.spin(`${source.model} on ${device}`)
        const onRound = (done: number) => spinner.update(`${source.model} on ${device}: round ${done} of ${rounds}`)
        try {
          reports.push(await tools.benchModel({ ...source, signal: context.signal }, { rounds, signal: context.signal, onRound }))
        } catch (error) {
          // What was asked for by name is owed; of the bundled ones those that can be measured are.
          if (model.length > 0 || !(error instanceof CuckooError)) throw error
          skipped.push({ model: source.model, device, reason: error.message })
        } finally {
          spinner.stop()
        }
      }
    }
    return { reports, skipped }
  },
  view({ reports, skipped }, screen) {
    screen.table({
      columns: [
        { title: 'model', shrink: true },
        { title: 'dtype' },
        { title: 'device' },
        { title: 'engine', align: 'right' },
        { title: 'bare', align: 'right' },
        { title: '', align: 'left' },
        { title: 'adds', align: 'right' },
      ],
      rows: reports.map((report) => [
        report.model,
        report.dtype,
        report.device,
        formatSpeed(report, report.engine),
        formatSpeed(report, report.bare),
        unitNames[report.unit],
        `${report.addedMs.toFixed(1)} ms`,
      ]),
    })
    for (const report of reports) {
      const waiting = report.waitingPerSecond === null ? '' : `; 16 waiting tasks: ${report.waitingPerSecond.toFixed(0)} texts/s together`
      const lag = `event-loop lag p99 ${report.eventLoopLagMs.p99.toFixed(1)} ms`
      screen.line(screen.style('dim', `${report.model} on ${report.device}: ${report.task}; ${lag}${waiting}`))
    }
    for (const { model, device, reason } of skipped) screen.line(`skipped: ${model} on ${device}: ${reason}`)
  },
})

const unitNames = { token: 'tokens/s', text: 'ms/embedding', image: 'images/min' } as const

function formatSpeed({ unit }: BenchReport, { msPerTask, perSecond }: BenchReport['engine']): string {
  if (unit === 'text') return msPerTask.toFixed(2)
  return unit === 'image' ? (perSecond * 60).toFixed(1) : perSecond.toFixed(0)
}
