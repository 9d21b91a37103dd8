import { z } from 'zod'
import { findDevnet } from '../../../devnet/devnetState.ts'
import { defineCommand } from '../../defineCommand.ts'
import { programWords } from '../../program.ts'
import { zDevnetState } from './start.ts'

export const devnetStatus = defineCommand({
  description: 'Shows whether a devnet runs in this home, and where its parts are.',
  examples: [{ command: 'cuckoo devnet status', note: 'URLs, processes and accounts' }],
  args: z.object({}),
  options: z.object({}),
  output: z.object({ running: z.boolean(), state: zDevnetState.nullable() }),
  async run(_input, context) {
    const state = findDevnet(context.config.values.home)
    return { running: state !== undefined, state: state ?? null }
  },
  view({ state }, screen) {
    if (state === null) return screen.line(`No devnet runs here. Start one with \`${programWords} devnet start\`.`)
    screen.line(`Running since ${new Date(state.startedAt * 1000).toLocaleString()}, process ${state.pid}`)
    screen.line(`chain        ${state.rpcUrl}`)
    screen.line(`contract     ${state.staking}`)
    screen.line(`coordinator  ${state.coordinator.url}`)
    screen.line(`API key      in ${state.apiKeyFile}`)
    screen.line()
    screen.table({ columns: [{ title: 'account' }, { title: 'address' }], rows: state.accounts.map(({ name, address }) => [name, address]) })
  },
})
