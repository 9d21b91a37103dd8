import { z } from 'zod'
import { optionMissing } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { parameterOptions, toParameters, zParameters } from '../parameters.ts'
import { zAddress } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

const zContracts = z.object({ staking: zAddress, payments: zAddress, court: zAddress, epochs: zAddress, randomness: zAddress })
const zRandomness = z.enum(['drand', 'blockhash'])

export const deploy = defineCommand({
  description: `Puts the five contracts on a chain, verifies that they know each other, and writes the
deployment file, which --deployment reads and others need. Nobody is privileged in them,
and nothing can be changed afterwards: the parameters hold for ever. A preset gives all
of them, a flag replaces one.`,
  examples: [
    { command: 'cuckoo deploy --network cuckoo-sepolia', note: 'days, as on every public chain' },
    { command: 'cuckoo deploy --network mine --rpc-url http://127.0.0.1:8545 --preset devnet', note: 'minutes, on a chain of your own' },
    { command: 'cuckoo deploy --network mine --thaw 14d --seats 9,21,63', note: 'a longer thaw, larger juries' },
  ],
  args: z.object({}),
  options: z.object({
    preset: z.enum(['public', 'devnet']).default('public').describe('where all parameters come from that are not given'),
    ...parameterOptions,
    randomness: zRandomness.optional().describe('where seeds come from; default: drand, on the devnet blockhash'),
    out: z.string().optional().describe('file to write; default: networks/<network>.json of the home').meta({ placeholder: 'file' }),
    ...txOptions,
  }),
  output: z.object({
    network: z.string(),
    chainId: z.int(),
    contracts: zContracts,
    randomness: zRandomness,
    parameters: zParameters,
    deploymentBlock: z.int(),
    rpcUrls: z.array(z.string()),
    path: z.string().nullable(),
    transaction: zTxReport,
  }),
  async run({ options }, context) {
    const { network } = context.config.values
    if (network === undefined) throw optionMissing({ flag: '--network <name>', command: context.command })
    const { preset, randomness, out, dryRun, waitFinality: _, ...given } = options
    const parameters = toParameters(preset, given, context.command)
    if (!dryRun) await context.prompts.confirm(`Deploy the contracts on '${network}'?`)
    let deployed: Awaited<ReturnType<typeof context.ports.deploy>> | undefined
    await runTransaction(context, options, async (transaction) => {
      deployed = await context.ports.deploy({ network, parameters, randomness, out, transaction })
      return deployed.transaction
    })
    const { deployment, path, transaction } = deployed as NonNullable<typeof deployed>
    return { ...deployment, parameters, path, transaction }
  },
  view(deployed, screen) {
    const { contracts, path, chainId, network, randomness } = deployed
    screen.line(`The contracts ${path === null ? 'would be' : 'are'} on '${network}', chain ${chainId}:`)
    for (const name of Object.keys(zContracts.shape) as (keyof typeof contracts)[]) {
      screen.line(`  ${name.padEnd(10)} ${screen.style('bold', contracts[name])}${name === 'randomness' ? ` (${randomness})` : ''}`)
    }
    if (path !== null) screen.line(`Written to ${path}`)
    viewTransaction(deployed.transaction, screen)
  },
})
