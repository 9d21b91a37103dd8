import { z } from 'zod'
import { coordinatorMissing } from '../../../errors/cli.ts'
import { isError } from '../../../errors/cuckooError.ts'
import { clientOptions, createAppClient } from '../../appClient.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatCaiShort } from '../../format.ts'
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
  description: `Lists the models that ship with cuckoo, those in the cache of this home, and what the
coordinator's miners offer now.`,
  examples: [
    { command: 'cuckoo models list', note: 'with the devnet, if it runs' },
    { command: 'cuckoo models list --coordinator https://ada.example --api-key-file ./key', note: 'with what it offers' },
  ],
  args: z.object({}),
  options: z.object(clientOptions),
  output: z.object({
    bundled: z.array(z.object({ model: z.string(), kind: z.string(), dtypes: z.array(z.string()), bytes: z.int() })),
    cached: z.array(z.string()),
    coordinator: z.string().nullable(),
    offered: z.array(zOffered),
  }),
  async run({ options }, context) {
    const bundled = await (await context.ports.getEngine()).listBundledModels()
    const [cached, offers] = await Promise.all([context.ports.listCachedModels(), listOffered(context, options)])
    return { bundled, cached, ...offers }
  },
  view({ bundled, cached, coordinator, offered }, screen) {
    screen.table({
      columns: [{ title: 'ships with cuckoo', shrink: true }, { title: 'kind' }, { title: 'dtypes' }, { title: 'MB', align: 'right' }],
      rows: bundled.map(({ model, kind, dtypes, bytes }) => [model, kind, dtypes.join(', '), (bytes / 1e6).toFixed(1)]),
    })
    if (cached.length > 0) screen.line(`\nin the cache: ${cached.join(', ')}`)
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
