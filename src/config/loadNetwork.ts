import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { type Address, addressPattern } from '../domain/hex.ts'
import type { Deployment } from '../domain/ports.ts'
import { deploymentInvalid, networkMismatch, networkMissing, networkUnknown, rpcUrlMissing } from '../errors/config.ts'
import type { Config } from './loadConfig.ts'

const maxDeploymentBytes = 65_536

const zDeployment = z.object({
  network: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be a short name of small letters, digits and dashes'),
  chainId: z.int().min(1),
  contracts: z.object({ staking: z.string().transform((text) => text.toLowerCase() as Address).refine((text) => addressPattern.test(text), 'must be an address') }),
  deploymentBlock: z.int().min(0),
  rpcUrls: z.array(z.url({ protocol: /^https?$/ })),
})

/** Which network a command speaks to, and why. */
export interface Network {
  deployment: Deployment
  /** where the choice was made: `--network`, `CUCKOO_NETWORK`, …, or 'the running devnet' */
  chosenBy: string
}

/**
 * The network of a command: `--deployment` or `--network` (flag > environment > config.json), else the devnet while it runs.
 * `--rpc-url` takes the place of the deployment's RPC URLs.
 * @throws CUCKOO_CONFIG_NETWORK_MISSING, CUCKOO_CONFIG_NETWORK_UNKNOWN, CUCKOO_CONFIG_NETWORK_MISMATCH, CUCKOO_CONFIG_DEPLOYMENT_INVALID, CUCKOO_CONFIG_RPC_URL_MISSING
 */
export async function loadNetwork(config: Config): Promise<Network> {
  const { home, network, deployment: location, rpcUrl, timeout } = config.values
  const named = config.findRaw('network')
  if (location !== undefined) {
    const deployment = await loadDeployment(location, timeout)
    if (network !== undefined && network !== deployment.network) throw networkMismatch({ network, found: deployment.network, deployment: location })
    return { deployment: withRpcUrl(deployment, rpcUrl), chosenBy: config.findRaw('deployment')?.source.name ?? '' }
  }
  const name = network ?? (findRunningDevnetPid(await readDevnetState(home)) === null ? undefined : 'devnet')
  if (name === undefined) throw networkMissing({})
  const path = join(home, 'networks', `${toFileName(name)}.json`)
  const deployment = await loadDeployment(path, timeout).catch((error: unknown) => {
    if ((error as { cause?: NodeJS.ErrnoException }).cause?.code === 'ENOENT') throw networkUnknown({ network: name, path }, { cause: error })
    throw error
  })
  return { deployment: withRpcUrl(deployment, rpcUrl), chosenBy: named?.source.name ?? 'the running devnet' }
}

/**
 * The deployment in a file, or behind an http(s) URL (64 KiB at most).
 * @throws CUCKOO_CONFIG_DEPLOYMENT_INVALID when it cannot be read or is something else
 */
export async function loadDeployment(location: string, timeoutMs: number): Promise<Deployment> {
  const source = /^https?:\/\//.test(location) ? new URL(location) : resolve(location)
  const name = typeof source === 'string' ? source : `${source.origin}${source.pathname}`
  let content: unknown
  try {
    content = JSON.parse(typeof source === 'string' ? await readFile(source, 'utf8') : await fetchText(source, timeoutMs))
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message
    throw deploymentInvalid({ source: name, problem: cause instanceof SyntaxError ? 'it is not JSON' : reason === 'ENOENT' ? 'there is no such file' : reason }, { cause })
  }
  const parsed = zDeployment.safeParse(content)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw deploymentInvalid({ source: name, problem: `'${issue?.path.join('.')}' ${issue?.message}` }, { cause: parsed.error })
  }
  return parsed.data
}

async function fetchText(url: URL, timeoutMs: number): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' })
  if (!response.ok) throw new Error(`the server answered ${response.status}`)
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > maxDeploymentBytes) throw new Error(`it is larger than ${maxDeploymentBytes} bytes`)
  }
  return text
}

function withRpcUrl(deployment: Deployment, rpcUrl: string | undefined): Deployment {
  if (rpcUrl !== undefined) return { ...deployment, rpcUrls: [rpcUrl] }
  if (deployment.rpcUrls.length === 0) throw rpcUrlMissing({ network: deployment.network })
  return deployment
}

// A network's name becomes part of a path.
function toFileName(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) throw networkUnknown({ network: name, path: 'networks/<name>.json' })
  return name
}

async function readDevnetState(home: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(home, 'devnet', 'state.json'), 'utf8'))
  } catch {
    return null
  }
}

function findRunningDevnetPid(state: unknown): number | null {
  const pid = (state as { pid?: unknown } | null)?.pid
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return null
  try {
    process.kill(pid, 0)
    return pid
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : null
  }
}
