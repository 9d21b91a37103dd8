import { z } from 'zod'
import { runDevnetRpc } from '../../devnet/anvil.ts'
import { getDevnet } from '../../devnet/devnetState.ts'
import { describeCaiSources } from '../../errors/chain.ts'
import { faucetElsewhere } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { formatCai } from '../format.ts'
import { getPartyOrOwn } from '../party.ts'
import { zAddress, zAmount, zParty, zWei } from '../schemas.ts'

export const faucet = defineCommand({
  description: `Gives an account CAI on the devnet, out of nothing. On the public networks it says where
CAI is to be had.`,
  examples: [
    { command: 'cuckoo faucet alice 30000', note: 'an account of this machine' },
    { command: 'cuckoo faucet 0x70997970c51812dc3a010c7d01b50e0d17dc79c8', note: '10,000 CAI' },
  ],
  args: z.object({
    address: zParty.optional().describe('address, or an account of this machine; default: the one in use'),
    amount: zAmount.prefault('10000').describe('CAI').meta({ placeholder: 'amount' }),
  }),
  options: z.object({}),
  output: z.object({ account: zAddress, amountWei: zWei, walletWei: zWei }),
  async run({ args }, context) {
    const account = await getPartyOrOwn(context, args.address)
    const { network } = await context.ports.getDeployment()
    if (network !== 'devnet') throw faucetElsewhere({ network, places: describeCaiSources(network, account) })
    const { rpcUrl } = getDevnet(context.config.values.home)
    const balance = BigInt((await runDevnetRpc(rpcUrl, 'eth_getBalance', [account, 'latest'])) as string)
    const walletWei = balance + args.amount
    await runDevnetRpc(rpcUrl, 'anvil_setBalance', [account, `0x${walletWei.toString(16)}`])
    return { account, amountWei: args.amount, walletWei }
  },
  view({ account, amountWei, walletWei }, screen) {
    screen.line(`${account} got ${formatCai(amountWei)} and has ${formatCai(walletWei)} now.`)
  },
})
