import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isAddress } from 'viem'
import { z } from 'zod'
import type { Deployment } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import {
  deploymentFileMissing,
  deploymentInsecure,
  deploymentInvalid,
  deploymentMissing,
  deploymentOutdated,
  deploymentUnreachable,
  deploymentUnwritable,
} from '../errors/chain.ts'
import { toReason } from './toReason.ts'

const maximumBytes = 64 * 1024
const fetchTimeoutMs = 10_000

const address = z
  .string()
  .refine((value) => isAddress(value), 'is not an address, or its checksum is wrong')
  .transform((value) => value.toLowerCase() as Address)

const deploymentSchema = z.object({
  network: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'is not the name of a network'),
  chainId: z.int().positive(),
  contracts: z.object({ staking: address, payments: address, court: address, epochs: address, randomness: address }),
  randomness: z.enum(['drand', 'blockhash']),
  deploymentBlock: z.int().nonnegative(),
  rpcUrls: z.array(z.url({ protocol: /^https?$/ })).default([]),
})

/** What version 0.1 wrote, when there was nothing but staking. */
const outdatedSchema = z.object({ chainId: z.int(), contracts: z.strictObject({ staking: address }) })

/** Where a home keeps the deployment file of a network. */
export function toDeploymentPath(home: string, network: string): string {
  return join(home, 'networks', `${network}.json`)
}

/**
 * The deployment file of a network that this home knows.
 * @throws CUCKOO_CHAIN_DEPLOYMENT_MISSING when there is none
 * @throws CUCKOO_CHAIN_DEPLOYMENT_INVALID
 * @throws CUCKOO_CHAIN_DEPLOYMENT_UNREACHABLE
 */
export async function getDeployment(home: string, network: string): Promise<Deployment> {
  const path = toDeploymentPath(home, network)
  try {
    await stat(path)
  } catch (cause) {
    if (toReason(cause) === 'ENOENT') throw deploymentMissing({ network, path }, { cause })
  }
  return loadDeployment(path)
}

/**
 * The deployment at `source`, a path or an https URL (http only on this machine), at most 64 KiB.
 * @throws CUCKOO_CHAIN_DEPLOYMENT_FILE_MISSING when there is no such file, CUCKOO_CHAIN_DEPLOYMENT_UNREACHABLE when it cannot be read
 * @throws CUCKOO_CHAIN_DEPLOYMENT_INVALID when it is not what {@link saveDeployment} writes
 * @throws CUCKOO_CHAIN_DEPLOYMENT_OUTDATED when it names a staking contract alone
 * @throws CUCKOO_CHAIN_DEPLOYMENT_INSECURE for http to another machine
 */
export async function loadDeployment(source: string): Promise<Deployment> {
  const isUrl = /^https?:\/\//i.test(source)
  const shown = isUrl ? stripUrl(source) : source
  const text = isUrl ? await fetchText(source, shown) : await readText(source)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw deploymentInvalid({ source: shown, problem: 'it is not JSON' }, { cause })
  }
  const parsed = deploymentSchema.safeParse(value)
  if (parsed.success) return parsed.data
  if (outdatedSchema.safeParse(value).success) throw deploymentOutdated({ source: shown }, { cause: parsed.error })
  const issue = parsed.error.issues[0]
  throw deploymentInvalid({ source: shown, problem: `${issue?.path.join('.') || 'it'}: ${issue?.message}` }, { cause: parsed.error })
}

/** Writes `deployment` to `path`, replacing what was there in one step. @throws CUCKOO_CHAIN_DEPLOYMENT_UNWRITABLE */
export async function saveDeployment(path: string, deployment: Deployment): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(`${JSON.stringify(deploymentSchema.parse(deployment), null, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    // `force` forgives a missing file, not a missing folder.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw deploymentUnwritable({ path, reason: toReason(cause) }, { cause })
  }
}

/** `url` without user, password, query and fragment: what may be shown and published. @example stripUrl('https://me:secret@rpc.example/v1?key=1') // 'https://rpc.example/v1' */
export function stripUrl(url: string): string {
  if (!URL.canParse(url)) return 'the given URL'
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname === '/' ? '' : pathname}`
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > maximumBytes) throw deploymentInvalid({ source: path, problem: `it has ${size} bytes, over ${maximumBytes}` })
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (toReason(cause).startsWith('CUCKOO_')) throw cause
    if (toReason(cause) === 'ENOENT') throw deploymentFileMissing({ path }, { cause })
    throw deploymentUnreachable({ source: path, reason: toReason(cause) }, { cause })
  }
}

async function fetchText(url: string, shown: string): Promise<string> {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'http:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) throw deploymentInsecure({ source: shown })
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs), redirect: 'error' })
  } catch (cause) {
    throw deploymentUnreachable({ source: shown, reason: toReason(cause instanceof Error ? cause.cause : cause) }, { cause })
  }
  if (!response.ok) throw deploymentUnreachable({ source: shown, reason: `HTTP ${response.status}` })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maximumBytes) throw deploymentInvalid({ source: shown, problem: `it has more than ${maximumBytes} bytes` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
