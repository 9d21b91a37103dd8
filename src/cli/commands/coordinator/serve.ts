import { z } from 'zod'
import { formatDuration } from '../../../config/duration.ts'
import { zBytes } from '../../../config/parseValue.ts'
import { type CoordinatorConfig, defaultCoordinatorConfig } from '../../../coordinator/coordinatorPorts.ts'
import { formatAmount, parseAmount } from '../../../domain/amount.ts'
import { devnetPollMs } from '../../../domain/chainTime.ts'
import type { Hash } from '../../../domain/hex.ts'
import { publicParameters, toDisputeSeconds } from '../../../domain/networkParameters.ts'
import type { NodeRecord } from '../../../domain/node.ts'
import { type ModelKind, modelKinds, taskKindTraits } from '../../../domain/taskKinds.ts'
import { waitForAbort } from '../../abort.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { getOwnNode } from '../../operator.ts'
import { zAddress, zAmount, zDuration, zHash, zHttpUrlText, zInteger } from '../../schemas.ts'

const defaults = defaultCoordinatorConfig
/** `model=value`, with the value read by `parse`. */
const zPair = <T>(parse: (text: string) => T) =>
  z
    .string()
    .regex(/^[^=]+=[^=]+$/, 'is not like owner/model=value')
    .transform((text): [string, T] => [text.slice(0, text.indexOf('=')), parse(text.slice(text.indexOf('=') + 1))])

const { kinds: prices } = defaults.unitPriceWei
/** Each unit with the kinds that are paid by it, and what they cost unless told. */
const priceList = [...Map.groupBy(Object.values(taskKindTraits), ({ unit }) => unit)]
  .map(([unit, traits]) => {
    const kinds = [...new Set(traits.map(({ modelKind }) => modelKind))]
    return `${unit}: ${kinds.map((kind) => `${kind} ${formatAmount(prices[kind])}`).join(', ')}`
  })
  .join('; ')

/** `amount` of text, or `kind=amount`. */
const zKindPrice = z
  .string()
  .regex(new RegExp(`^(?:(?:${modelKinds.join('|')})=)?[^=]+$`), `is neither an amount nor like image=0.001; the kinds are ${modelKinds.join(', ')}`)
  .transform((text): [ModelKind, bigint] => {
    const [kind, amount] = text.includes('=') ? text.split('=') : ['text', text]
    return [kind as ModelKind, parseAmount(amount as string)]
  })

/** Whole hours: what a person types is not to fall short by minutes. */
const minKeepSeconds = 3_600 * Math.ceil((publicParameters.evidenceSeconds + toDisputeSeconds(publicParameters)) / 3_600)
const parseDigest = (text: string) => zHash.parse(text)

const options = z.object({
  host: z.string().default(defaults.host).describe('address to listen on').meta({ env: 'CUCKOO_HOST' }),
  port: zInteger(0, 65_535).prefault('8420').describe('port to listen on; 0: any free one').meta({ env: 'CUCKOO_PORT', placeholder: 'number' }),
  publicUrl: zHttpUrlText.optional().describe('URL that others reach it by, compared with its profile').meta({ placeholder: 'url' }),
  price: z
    .array(zKindPrice)
    .default([])
    .describe(`CAI for one output token of text (default ${formatAmount(prices.text)}), or for a unit of another kind, as in image=0.00001`)
    .meta({ placeholder: 'amount' }),
  embeddingPrice: zAmount.optional().describe('CAI for one input token of embeddings, like --price embedding=…').meta({ placeholder: 'amount' }),
  modelPrice: z.array(zPair(parseAmount)).default([]).describe('another price for one model').meta({ placeholder: 'model=amount' }),
  acceptManifests: z.enum(['open', 'listed']).optional().describe('models of any miner, or only those of --manifest; default: open on the devnet, else listed'),
  manifest: z.array(zHash).default([]).describe('digest of a model that is served').meta({ placeholder: 'digest' }),
  pin: z.array(zPair(parseDigest)).default([]).describe('manifest that a model name means').meta({ placeholder: 'model=digest' }),
  maxQueued: zInteger(1, 1_000_000).prefault(String(defaults.maxQueued)).describe('tasks that may wait; more get 429').meta({ placeholder: 'number' }),
  defaultMaxTokens: zInteger(1, 1_000_000)
    .prefault(String(defaults.defaultMaxTokens))
    .describe('output tokens when the app names no number')
    .meta({ placeholder: 'number' }),
  line: zAmount
    .prefault(formatAmount(defaults.lineWei))
    .describe("CAI that each miner's line is kept at, within escrow; 0: lines are raised by hand")
    .meta({ placeholder: 'amount' }),
  restored: z.boolean().default(false).describe('the store comes from a backup: its open tasks are cancelled, so that none is signed twice'),
  keep: zDuration
    .prefault(`${defaults.keepMs / 86_400_000}d`)
    .describe(
      `how long contents and media stay after their task's end; rows and receipts stay for ever. At least as long as a challenge may come and be judged: ${formatDuration(minKeepSeconds)} on public networks`,
    )
    .meta({ placeholder: 'duration' }),
  appMedia: zBytes
    .prefault(`${defaults.appMediaBytes / 2 ** 30}GiB`)
    .describe('media that one app may have here; uploads that no task names go after an hour')
    .meta({ placeholder: 'size' }),
  minFree: zBytes
    .prefault(`${defaults.minFreeBytes / 2 ** 20}MiB`)
    .describe('room for results: no media are taken that would leave less of the disk')
    .meta({ placeholder: 'size' }),
  grace: zDuration.prefault('20s').describe('how long stopping waits for running tasks').meta({ placeholder: 'duration' }),
})

export const coordinatorServe = defineCommand({
  description: `Serves apps: an OpenAI-compatible API, and tasks of every kind. Miners find it by the URL
in its profile and poll it; each task goes to a miner drawn by stake. The account in use
is the operator of a registered coordinator. Stops on Ctrl-C after running tasks ended.

Prices in CAI unless told, by what they are for: ${priceList}.`,
  examples: [
    { command: 'cuckoo coordinator serve --account ada-op', note: 'behind a TLS proxy' },
    { command: 'cuckoo coordinator serve --host 0.0.0.0 --port 8420', note: 'for the whole network' },
    { command: 'cuckoo coordinator serve --price 0.000002 --price image=0.00001', note: 'CAI for an output token, and for a step of an image' },
  ],
  longRunning: true,
  args: z.object({}),
  options,
  output: z.discriminatedUnion('event', [
    z.object({
      event: z.literal('ready'),
      node: zAddress,
      operator: zAddress,
      network: z.string(),
      url: z.string(),
      publicUrl: z.string(),
      acceptManifests: z.string(),
    }),
    z.object({ event: z.literal('stopped') }),
  ]),
  async run({ options: chosen }, context) {
    const { chain, signer, node, record } = await getOwnNode(context, 'coordinator')
    const publicUrl = chosen.publicUrl ?? record.profile?.url ?? ''
    const config = toCoordinatorConfig(chosen, { isDevnet: chain.deployment.network === 'devnet', publicUrl })
    warnAboutSetup(context, record, chosen.publicUrl, config)
    const running = await context.ports.serveCoordinator(node, signer, config)
    const { network } = chain.deployment
    context.emit({ event: 'ready', node, operator: signer.address, network, url: running.url, publicUrl, acceptManifests: config.acceptManifests })
    void warnIfUnreachable(context, publicUrl, node)
    await waitForAbort(context.signal)
    await running.drain()
    return { event: 'stopped' as const }
  },
  view(value, screen) {
    if (value.event === 'stopped') return screen.line('Stopped; nothing that was acknowledged is lost.')
    screen.line(`Coordinator ${screen.style('bold', value.node)} on ${value.network} listens on ${screen.style('bold', value.url)}`)
    screen.line(`  operator ${value.operator}, found by others at ${value.publicUrl || '(no URL in its profile)'}`)
    screen.line(`  API keys: ${screen.program} apps create <name>`)
    screen.line(`  metrics:  ${value.url}/metrics`)
  },
})

function toCoordinatorConfig(chosen: z.output<typeof options>, { isDevnet, publicUrl }: { isDevnet: boolean; publicUrl: string }): CoordinatorConfig {
  return {
    ...defaults,
    host: chosen.host,
    port: chosen.port,
    unitPriceWei: {
      kinds: { ...prices, ...(chosen.embeddingPrice !== undefined && { embedding: chosen.embeddingPrice }), ...Object.fromEntries(chosen.price) },
      models: Object.fromEntries(chosen.modelPrice),
    },
    publicUrl: publicUrl === '' ? null : publicUrl,
    acceptManifests: chosen.acceptManifests ?? (isDevnet ? 'open' : 'listed'),
    ...(isDevnet && { nodeSet: { ...defaults.nodeSet, pollMs: devnetPollMs } }),
    listedDigests: chosen.manifest as readonly Hash[],
    pins: Object.fromEntries(chosen.pin),
    maxQueued: chosen.maxQueued,
    defaultMaxTokens: chosen.defaultMaxTokens,
    graceMs: chosen.grace,
    restored: chosen.restored,
    lineWei: chosen.line,
    keepMs: chosen.keep,
    appMediaBytes: chosen.appMedia,
    minFreeBytes: chosen.minFree,
  }
}

function warnAboutSetup({ output }: Context<never>, record: NodeRecord, publicUrl: string | undefined, config: CoordinatorConfig): void {
  const url = record.profile?.url ?? ''
  if (url === '') output.warn('the profile has no URL, so no miner finds this coordinator: `cuckoo node set-profile --url <url>`')
  else if (publicUrl !== undefined && publicUrl !== url)
    output.warn(`the profile says ${url}, not ${publicUrl}: miners go there (\`cuckoo node set-profile --url ${publicUrl}\`)`)
  if (config.acceptManifests === 'listed' && config.listedDigests.length === 0)
    output.warn('no model is listed, so none is served: name them with --manifest <digest>')
}

/** Proves that who answers at the profile's URL is this coordinator. */
async function warnIfUnreachable({ ports, output, signal }: Context<never>, url: string, node: string): Promise<void> {
  if (url === '') return
  try {
    const client = await ports.createClient({ url, allowPrivate: true })
    const { coordinator } = await client.getReadiness({}, { signal, timeoutMs: 10_000 })
    if (coordinator !== node) output.warn(`at ${url} the coordinator ${coordinator} answers, not this one`)
  } catch (error) {
    if (!signal.aborted) output.warn(`this coordinator does not reach itself at ${url}: ${(error as Error).message}`)
  }
}
