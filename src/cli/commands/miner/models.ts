import { join } from 'node:path'
import { z } from 'zod'
import { formatBytes } from '../../../config/bytes.ts'
import type { DeviceInfo } from '../../../domain/enginePort.ts'
import { dtypes } from '../../../domain/manifest.ts'
import { modelKinds } from '../../../domain/taskKinds.ts'
import { CuckooError } from '../../../errors/cuckooError.ts'
import { clientOptions, createAppClient } from '../../appClient.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { getFreeBytes } from '../../doctor/getFreeBytes.ts'
import { formatCaiShort } from '../../format.ts'
import { zWei } from '../../schemas.ts'
import { type Accelerator, suggestDtype } from '../../suggestModels.ts'

const zModel = z.object({
  model: z.string(),
  kind: z.enum(modelKinds).nullable(),
  from: z.enum(['bundled', 'cached', 'hub']),
  dtype: z.enum(dtypes).nullable().describe('the one to take here'),
  bytes: z.number().describe('of the hub’s: approximate, of the weights'),
  fits: z.boolean(),
  problem: z.enum(['memory', 'disk']).nullable(),
  note: z.string(),
})
const zAsked = z.object({ model: z.string(), kind: z.string(), dtype: z.string(), miners: z.int(), unitPriceWei: zWei })

export const minerModels = defineCommand({
  description: `Lists the models that this machine has and, with --suggest, models of the hub that fit its
memory, disk and devices, beside what a coordinator's miners serve and at what price.
Sizes of the hub's are approximate: parameters times bytes per weight.`,
  examples: [
    { command: 'cuckoo miner models', note: 'what is here already' },
    { command: 'cuckoo miner models --suggest', note: 'what could be' },
    { command: 'cuckoo miner models --suggest --coordinator https://ada.example --api-key-file ./key', note: 'with its prices' },
  ],
  args: z.object({}),
  options: z.object({ suggest: z.boolean().default(false).describe('models of the hub too, and what is asked for'), ...clientOptions }),
  output: z.object({
    machine: z.object({ memoryBytes: z.number(), diskBytes: z.number(), devices: z.array(z.string()).describe('those that can be used') }),
    models: z.array(zModel),
    coordinator: z.string().nullable(),
    asked: z.array(zAsked),
    askedProblem: z.string().nullable().describe('why nothing is known of what is asked for'),
  }),
  async run({ options }, context) {
    const { home, modelsCache } = context.config.values
    const engine = await context.ports.getEngine()
    const spinner = await context.output.spin(options.suggest ? 'trying the devices' : '')
    const found = options.suggest ? (await engine.listDevices()).filter(({ available }) => available) : []
    spinner.stop()
    const machine = {
      memoryBytes: process.availableMemory(),
      diskBytes: await getFreeBytes(modelsCache ?? join(home, 'models')),
      devices: found.map(({ device }) => device),
    }
    const own = await listOwnModels(context as Context<never>)
    const wanted = options.suggest ? await listSuggested(context as Context<never>, { ...machine, accelerator: toAccelerator(found) }, own) : []
    const asked = options.suggest ? await listAsked(context as Context<never>, options) : { coordinator: null, asked: [], askedProblem: null }
    return { machine, models: [...own, ...wanted], ...asked }
  },
  view({ machine, models, coordinator, asked, askedProblem }, screen) {
    const devices = machine.devices.length === 0 ? '' : `, ${machine.devices.join(' and ')}`
    screen.line(`This machine: ${formatBytes(machine.memoryBytes)} of memory to be had, ${formatBytes(machine.diskBytes)} of disk${devices}`)
    screen.line()
    const kinds = [...new Set(models.map(({ kind }) => kind))]
    screen.table({
      columns: [{ title: 'model', shrink: true }, { title: 'dtype' }, { title: 'size', align: 'right' }, { title: '' }],
      rows: kinds.flatMap((wanted) => [
        [wanted ?? 'in the cache', '', '', ''],
        ...models.filter(({ kind }) => kind === wanted).map((listed) => [`  ${listed.model}`, listed.dtype ?? '-', formatSize(listed), formatFit(listed)]),
      ]),
    })
    if (askedProblem !== null) screen.line(`\nWhat coordinators ask for is not known: ${askedProblem}`)
    if (coordinator === null) return
    screen.line()
    screen.table({
      columns: [
        { title: `served at ${coordinator}`, shrink: true },
        { title: 'kind' },
        { title: 'dtype' },
        { title: 'miners', align: 'right' },
        { title: 'a unit', align: 'right' },
      ],
      rows: asked.map(({ model, kind, dtype, miners, unitPriceWei }) => [model, kind, dtype, String(miners), formatCaiShort(unitPriceWei)]),
    })
  },
})

type Listed = z.output<typeof zModel>

function formatSize({ from, bytes }: Listed): string {
  return `${from === 'hub' ? '~' : ''}${formatBytes(bytes)}`
}

function formatFit({ from, problem }: Listed): string {
  if (from !== 'hub') return 'here'
  return problem === null ? 'fits' : `too little ${problem}`
}

async function listOwnModels({ ports }: Context<never>): Promise<Listed[]> {
  const here = { fits: true, problem: null, note: '' }
  const bundled = (await (await ports.getEngine()).listBundledModels()).map(
    ({ model, kind, dtypes: has, bytes }): Listed => ({ model, kind, from: 'bundled', dtype: has[0] ?? null, bytes, ...here }),
  )
  const cached = (await (await ports.getModelCache()).list()).map(
    ({ model, dtypes: has, bytes }): Listed => ({ model, kind: null, from: 'cached', dtype: has[0] ?? null, bytes, ...here }),
  )
  return [...bundled, ...cached]
}

function toAccelerator(devices: readonly DeviceInfo[]): Accelerator {
  const accelerators = devices.filter(({ device }) => device !== 'cpu')
  if (accelerators.length === 0) return 'cpu'
  return accelerators.some(({ lacksHalf }) => lacksHalf !== true) ? 'halfGpu' : 'gpu'
}

async function listSuggested(
  { ports }: Context<never>,
  machine: { memoryBytes: number; diskBytes: number; accelerator: Accelerator },
  own: readonly Listed[],
): Promise<Listed[]> {
  const suggestions = (await ports.getEngineTools()).listSuggestions().filter(({ model }) => !own.some((listed) => listed.model === model))
  return suggestions.map((suggestion) => {
    const { dtype, bytes, fits, problem } = suggestDtype(suggestion, machine)
    return { model: suggestion.model, kind: suggestion.kind, from: 'hub', dtype, bytes, fits, problem, note: suggestion.note }
  })
}

/** Prices stand behind an app's key: the one that is configured, or the devnet's. Without one nothing is known, which is said. */
async function listAsked(context: Context<never>, options: { coordinator?: string | undefined; apiKeyFile?: string | undefined }) {
  try {
    const { client, url } = await createAppClient(context, options)
    const { data } = await client.listModels({}, { signal: context.signal })
    const asked = data.map(({ id, cuckoo: { kind, dtype, miners, unitPriceWei } }) => ({ model: id, kind, dtype, miners, unitPriceWei: BigInt(unitPriceWei) }))
    return { coordinator: url, asked, askedProblem: null }
  } catch (error) {
    if (!(error instanceof CuckooError)) throw error
    return { coordinator: null, asked: [], askedProblem: `${error.message} ${error.hint ?? ''}`.trim() }
  }
}
