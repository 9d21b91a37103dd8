import { z } from 'zod'
import { formatBytes } from '../../../config/bytes.ts'
import { formatDuration } from '../../../config/duration.ts'
import { coordinatorMissing } from '../../../errors/cli.ts'
import { isError } from '../../../errors/cuckooError.ts'
import { clientOptions, createAppClient } from '../../appClient.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatCaiShort } from '../../format.ts'
import { zCached } from '../../modelViews.ts'
import { zWei } from '../../schemas.ts'

const zOffered = z.object({
  model: z.string(),
  kind: z.string(),
  dtype: z.string(),
  chat: z.boolean(),
  unitPriceWei: zWei,
  miners: z.int(),
  contextTokens: z.int(),
  manifest: z.string(),
})

export const modelsList = defineCommand({
  description: `Lists the models that ship with cuckoo, those of the hub in the cache of this machine,
and what the coordinator's miners offer now.`,
  examples: [
    { command: 'cuckoo models list', note: 'with the devnet, if it runs' },
    { command: 'cuckoo models list --coordinator https://ada.example --api-key-file ./key', note: 'with what it offers' },
  ],
  args: z.object({}),
  options: z.object(clientOptions),
  output: z.object({
    bundled: z.array(z.object({ model: z.string(), kind: z.string(), dtypes: z.array(z.string()), bytes: z.int() })),
    cached: z.array(zCached),
    cache: z.object({ directory: z.string(), bytes: z.int(), budgetBytes: z.int().nullable() }),
    coordinator: z.string().nullable(),
    offered: z.array(zOffered),
  }),
  async run({ options }, context) {
    const bundled = await (await context.ports.getEngine()).listBundledModels()
    const { directory, budgetBytes, list } = await context.ports.getModelCache()
    const [cached, offers] = await Promise.all([list(), listOffered(context, options)])
    const cache = { directory, bytes: cached.reduce((sum, { bytes }) => sum + bytes, 0), budgetBytes }
    return { bundled, cached, cache, ...offers }
  },
  view({ bundled, cached, cache, coordinator, offered }, screen, context) {
    screen.table({
      columns: [{ title: 'ships with cuckoo', shrink: true }, { title: 'kind' }, { title: 'dtypes' }, { title: 'size', align: 'right' }],
      rows: bundled.map(({ model, kind, dtypes, bytes }) => [model, kind, dtypes.join(', '), formatBytes(bytes)]),
    })
    if (cached.length > 0) {
      const budget = cache.budgetBytes === null ? '' : ` of ${formatBytes(cache.budgetBytes)}`
      screen.line(`\n${formatBytes(cache.bytes)}${budget} in ${cache.directory}`)
      screen.table({
        columns: [
          { title: 'in the cache', shrink: true },
          { title: 'dtypes' },
          { title: 'size', align: 'right' },
          { title: 'revision', shrink: true },
          { title: 'used' },
        ],
        rows: cached.map(({ model, dtypes, bytes, revision, names, quarantined, lastUsedAt }) => [
          model,
          `${dtypes.join(', ') || 'unfinished'}${quarantined === 0 ? '' : `, ${quarantined} set aside`}`,
          formatBytes(bytes),
          `${revision.slice(0, 12)}${names.length === 0 ? '' : ` (${names.join(', ')})`}`,
          `${formatDuration(context.nowSeconds() - lastUsedAt)} ago`,
        ]),
      })
    }
    if (coordinator === null) return screen.line('\nNo coordinator is named, so nothing is known of offers.')
    if (offered.length === 0) return screen.line(`\nNo miner offers a model at ${coordinator} now.`)
    screen.line()
    screen.table({
      columns: [
        { title: `offered at ${coordinator}`, shrink: true },
        { title: 'kind' },
        { title: 'dtype' },
        { title: 'miners', align: 'right' },
        { title: 'a token', align: 'right' },
      ],
      rows: offered.map((offer) => [offer.model, offer.chat ? 'chat' : offer.kind, offer.dtype, String(offer.miners), formatCaiShort(offer.unitPriceWei)]),
    })
  },
})

/** What the coordinator offers; nothing when none is named and no devnet runs. */
async function listOffered(context: Context<never>, options: { coordinator?: string | undefined; apiKeyFile?: string | undefined }) {
  try {
    const { client, url } = await createAppClient(context, options)
    const { data } = await client.listModels({}, { signal: context.signal })
    const offered = data.map(({ id, cuckoo: { kind, dtype, chat, unitPriceWei, miners, contextTokens, manifest } }) => ({
      model: id,
      kind,
      dtype,
      chat,
      unitPriceWei: BigInt(unitPriceWei),
      miners,
      contextTokens,
      manifest,
    }))
    return { coordinator: url, offered }
  } catch (error) {
    if (isError(error, coordinatorMissing)) return { coordinator: null, offered: [] }
    throw error
  }
}
