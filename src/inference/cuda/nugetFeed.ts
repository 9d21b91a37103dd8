import { gunzipSync } from 'node:zlib'
import { request } from 'undici'
import { z } from 'zod'
import { runtimeSourceUnreachable } from '../../errors/inference.ts'

/** A package version as a NuGet feed describes it. */
export interface NugetPackage {
  url: string
  bytes: number
  /** base64 */
  sha512: string
}

const zIndex = z.object({ resources: z.array(z.looseObject({ '@id': z.url(), '@type': z.string() })) })
const zRegistration = z.object({ catalogEntry: z.url(), packageContent: z.url() })
const zCatalogEntry = z.object({ packageHash: z.string(), packageHashAlgorithm: z.literal('SHA512'), packageSize: z.int().min(1) })

/** a leaf has some kilobytes */
const maxJsonBytes = 8 * 2 ** 20
const timeouts = { headersTimeout: 30_000, bodyTimeout: 60_000 }

/**
 * Where a package version lies, with its size and hash (learn.microsoft.com/nuget/api: service index, registration leaf, catalog leaf).
 * @throws CUCKOO_RUNTIME_SOURCE_UNREACHABLE when the feed does not answer, or not with that
 */
export async function getNugetPackage(feedUrl: string, name: string, version: string, signal?: AbortSignal): Promise<NugetPackage> {
  const { resources } = await getJson(feedUrl, zIndex, signal)
  const base = resources.find((resource) => resource['@type'].startsWith('RegistrationsBaseUrl/3.6.0'))?.['@id']
  if (base === undefined) throw runtimeSourceUnreachable({ url: feedUrl, reason: 'it is not the index of a package feed' })
  const leaf = await getJson(`${base.replace(/\/?$/, '/')}${name.toLowerCase()}/${version.toLowerCase()}.json`, zRegistration, signal)
  const entry = await getJson(leaf.catalogEntry, zCatalogEntry, signal)
  return { url: leaf.packageContent, bytes: entry.packageSize, sha512: entry.packageHash }
}

/**
 * The content of `url` from byte `offset` on; `offset` of the answer is 0 when the server starts over.
 * @throws CUCKOO_RUNTIME_SOURCE_UNREACHABLE
 */
export async function openDownload(url: string, offset: number, signal?: AbortSignal): Promise<{ offset: number; body: AsyncIterable<Uint8Array> }> {
  const range: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` }
  const { statusCode, body } = await get(url, range, signal)
  if (statusCode === 206) return { offset, body }
  if (statusCode === 200) return { offset: 0, body }
  await body.dump()
  throw runtimeSourceUnreachable({ url, reason: `it answered HTTP ${statusCode}` })
}

async function getJson<T>(url: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
  const { statusCode, headers, body } = await get(url, {}, signal)
  if (statusCode !== 200) {
    await body.dump()
    throw runtimeSourceUnreachable({ url, reason: `it answered HTTP ${statusCode}` })
  }
  try {
    const bytes = Buffer.from(await body.arrayBuffer())
    // nuget.org keeps registrations compressed and sends them so, asked or not.
    const text = headers['content-encoding'] === 'gzip' ? gunzipSync(bytes, { maxOutputLength: maxJsonBytes }) : bytes
    return schema.parse(JSON.parse(text.toString('utf8')))
  } catch (cause) {
    signal?.throwIfAborted()
    throw runtimeSourceUnreachable({ url, reason: 'its answer is not what a package feed says' }, { cause })
  }
}

async function get(url: string, headers: Record<string, string>, signal?: AbortSignal) {
  try {
    return await request(url, { headers, signal: signal ?? null, ...timeouts })
  } catch (cause) {
    signal?.throwIfAborted()
    throw runtimeSourceUnreachable({ url, reason: toNetworkReason(cause) }, { cause })
  }
}

/** The system's or undici's code where there is one. */
export function toNetworkReason(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : error instanceof Error ? error.message : String(error)
}
