import { z } from 'zod'
import { getDevnet } from '../../../devnet/devnetState.ts'
import { defineCommand } from '../../defineCommand.ts'

export const devnetEnv = defineCommand({
  description: 'Prints what scripts and OpenAI clients need to use the devnet, as shell exports.',
  examples: [{ command: 'eval "$(cuckoo devnet env)"', note: 'in a shell' }],
  args: z.object({}),
  options: z.object({}),
  output: z.object({ variables: z.record(z.string(), z.string()) }),
  async run(_, { config }) {
    const state = getDevnet(config.values.home)
    return {
      variables: {
        CUCKOO_HOME: config.values.home,
        CUCKOO_NETWORK: 'devnet',
        CUCKOO_COORDINATOR: state.coordinator.url,
        CUCKOO_API_KEY_FILE: state.apiKeyFile,
        OPENAI_BASE_URL: `${state.coordinator.url}/v1`,
      },
    }
  },
  view({ variables }, screen) {
    for (const [name, value] of Object.entries(variables)) screen.line(`export ${name}=${quote(value)}`)
    // The key itself stays in its file until the shell reads it.
    screen.line(`export OPENAI_API_KEY="$(cat ${quote(variables['CUCKOO_API_KEY_FILE'] ?? '')})"`)
  },
})

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
