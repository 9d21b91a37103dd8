import { z } from 'zod'
import { getDevnet } from '../../../devnet/devnetState.ts'
import { defineCommand } from '../../defineCommand.ts'

export const devnetEnv = defineCommand({
  description: `Prints shell exports for scripts and OpenAI clients. The API key stays in its file:
the line reads it when the shell evaluates it.`,
  examples: [{ command: 'eval "$(cuckoo devnet env)"', note: 'sets them in this shell' }],
  args: z.object({}),
  options: z.object({}),
  output: z.object({ network: z.string(), rpcUrl: z.string(), coordinator: z.string(), apiKeyFile: z.string(), openaiBaseUrl: z.string() }),
  async run(_input, context) {
    const { rpcUrl, coordinator, apiKeyFile } = getDevnet(context.config.values.home)
    return { network: 'devnet', rpcUrl, coordinator: coordinator.url, apiKeyFile, openaiBaseUrl: `${coordinator.url}/v1` }
  },
  view(env, screen) {
    screen.line(`export CUCKOO_NETWORK=${env.network}`)
    screen.line(`export CUCKOO_COORDINATOR=${env.coordinator}`)
    screen.line(`export CUCKOO_API_KEY_FILE='${env.apiKeyFile.replaceAll("'", `'\\''`)}'`)
    screen.line(`export OPENAI_BASE_URL=${env.openaiBaseUrl}`)
    screen.line('export OPENAI_API_KEY="$(cat "$CUCKOO_API_KEY_FILE")"')
  },
})
