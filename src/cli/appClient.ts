import { z } from 'zod'
import type { Client } from '../api/client.ts'
import { apiKeyNeeded, coordinatorMissing } from '../errors/cli.ts'
import type { Context } from './context.ts'
import { readTextFile } from './files.ts'
import { zHttpUrlText } from './schemas.ts'

/** Options of commands that speak to a coordinator as an app does. */
export const clientOptions = {
  coordinator: zHttpUrlText.optional().describe('URL of the coordinator; default: the running devnet’s').meta({ config: 'coordinator', placeholder: 'url' }),
  apiKeyFile: z.string().optional().describe('file with the API key; or CUCKOO_API_KEY').meta({ placeholder: 'file' }),
}

/**
 * A client for the coordinator that was named, else the running devnet's. The key: `--api-key-file`, `CUCKOO_API_KEY`,
 * `CUCKOO_API_KEY_FILE`, the devnet's own.
 * @throws CUCKOO_CLI_COORDINATOR_MISSING, CUCKOO_CLI_API_KEY_NEEDED, CUCKOO_CLI_FILE_UNREADABLE
 */
export async function createAppClient(
  { ports, config }: Pick<Context, 'ports' | 'config'>,
  options: { coordinator?: string | undefined; apiKeyFile?: string | undefined },
): Promise<{ client: Client; url: string }> {
  const devnet = await ports.findDevnet()
  const url = options.coordinator ?? devnet?.coordinator.url
  if (url === undefined) throw coordinatorMissing({})
  const { apiKey, apiKeyFile } = config.values
  const file = options.apiKeyFile ?? (apiKey === undefined ? (apiKeyFile ?? (url === devnet?.coordinator.url ? devnet.apiKeyFile : undefined)) : undefined)
  const key = file === undefined ? apiKey : (await readTextFile(file)).trim()
  if (key === undefined || key === '') throw apiKeyNeeded({})
  // The person named this URL: the guard is for addresses that come from others.
  return { client: await ports.createClient({ url, apiKey: key, allowPrivate: true }), url }
}
