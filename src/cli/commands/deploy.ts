import { z } from 'zod'
import { optionMissing } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { zAddress, zDuration } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const deploy = defineCommand({
  description: `Puts the staking contract on a chain and writes its deployment file, which --deployment
reads and others need. Nobody is privileged in it: it cannot be changed afterwards.`,
  examples: [
    { command: 'cuckoo deploy --network cuckoo-sepolia', note: 'thaw of 7 days' },
    { command: 'cuckoo deploy --network mine --rpc-url http://127.0.0.1:8545 --thaw 10m --epoch 5m', note: 'a chain of your own' },
  ],
  args: z.object({}),
  options: z.object({
    thaw: zDuration.prefault('7d').describe('how long stake thaws').meta({ placeholder: 'duration' }),
    epoch: zDuration.prefault('1h').describe('epoch in which bonds are counted').meta({ placeholder: 'duration' }),
    out: z.string().optional().describe('file to write; default: networks/<network>.json of the home').meta({ placeholder: 'file' }),
    ...txOptions,
  }),
  output: z.object({
    network: z.string(),
    chainId: z.int(),
    contracts: z.object({ staking: zAddress }),
    deploymentBlock: z.int(),
    rpcUrls: z.array(z.string()),
    path: z.string().nullable(),
    transaction: zTxReport,
  }),
  async run({ options }, context) {
    const { network } = context.config.values
    if (network === undefined) throw optionMissing({ flag: '--network <name>', command: context.command })
    const { thaw, epoch, out, dryRun } = options
    if (!dryRun) await context.prompts.confirm(`Deploy the contracts on '${network}'?`)
    const durations = { thawSeconds: Math.floor(thaw / 1000), epochSeconds: Math.floor(epoch / 1000) }
    let deployed: Awaited<ReturnType<typeof context.ports.deploy>> | undefined
    await runTransaction(context, options, async (transaction) => {
      deployed = await context.ports.deploy({ network, ...durations, out, transaction })
      return deployed.transaction
    })
    const { deployment, path, transaction } = deployed as NonNullable<typeof deployed>
    return { ...deployment, path, transaction }
  },
  view(deployed, screen) {
    if (deployed.path !== null) {
      screen.line(`The staking contract is ${screen.style('bold', deployed.contracts.staking)} on chain ${deployed.chainId}.`)
      screen.line(`Written to ${deployed.path}`)
    }
    viewTransaction(deployed.transaction, screen)
  },
})
