import { z } from 'zod'
import { findDevnet } from '../../../devnet/devnetState.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatWhen } from '../../format.ts'
import { zAddress } from '../../schemas.ts'

const zState = z.object({
  pid: z.int(),
  startedAt: z.int(),
  rpcUrl: z.string(),
  contracts: z.object({ staking: zAddress, payments: zAddress, court: zAddress, epochs: zAddress, randomness: zAddress }),
  coordinator: z.object({ node: zAddress, url: z.string() }),
  miners: z.array(z.object({ account: z.string(), node: zAddress, pid: z.int() })),
  accounts: z.array(z.object({ name: z.string(), address: zAddress })),
  apiKeyFile: z.string(),
})

export const devnetStatus = defineCommand({
  examples: [{ command: 'cuckoo devnet status', note: 'what runs, and where' }],
  args: z.object({}),
  options: z.object({}),
  output: z.object({ running: z.boolean(), state: zState.nullable() }),
  async run(_, { config }) {
    const state = findDevnet(config.values.home) ?? null
    return { running: state !== null, state }
  },
  view({ state }, screen, context) {
    if (state === null) return screen.line(`No devnet runs here: \`${screen.program} devnet start\` starts one.`)
    screen.line(`The devnet runs since ${formatWhen(state.startedAt, context.nowSeconds())}, process ${state.pid}`)
    const rows = [
      ['chain', state.rpcUrl],
      ...Object.entries(state.contracts),
      ['coordinator', state.coordinator.url],
      ['', state.coordinator.node],
      ...state.miners.map(({ account, node }) => [account, node]),
      ['API key', state.apiKeyFile],
      ['accounts', `${screen.program} account list`],
    ]
    for (const [name, value] of rows) screen.line(`  ${(name as string).padEnd(12)} ${value}`)
  },
})
