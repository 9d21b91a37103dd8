import { Agent, type Dispatcher, interceptors, request } from 'undici'
import { z } from 'zod'
import type { CuckooError } from '../errors/cuckooError.ts'
import { hubBusy, hubModelUnknown, hubUnreachable, modelFileEscapes } from '../errors/inference.ts'
import { findPathFlaw } from './modelFolder.ts'

export interface HubOptions {
  /** `https://huggingface.co`, or a stand-in; no slash at the end */
  baseUrl: string
  /** for gated models; sent to the hub's own host only */
  token?: string | undefined
}

/** A file of a repository at one commit. */
export interface HubFile {
  path: string
  bytes: number
  /** of large files */
  sha256: `0x${string}` | null
  /** git's object id (SHA-1 over `blob <bytes>\0<content>`) of the others */
  gitOid: string | null
}

/** A repository at one commit. */
export interface HubListing {
  commit: string
  files: HubFile[]
}

// GET /api/models/{owner}/{model}/revision/{revision}?blobs=true (huggingface.co/docs/hub/api)
const answerSchema = z.looseObject({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z
    .array(
      z.looseObject({
        rfilename: z.string(),
        size: z.int().min(0),
        blobId: z.string().nullish(),
        lfs: z.looseObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().min(0) }).nullish(),
      }),
    )
    .max(20_000),
})

const maxAnswerBytes = 32 * 2 ** 20
const headersTimeoutMs = 30_000
const idleTimeoutMs = 60_000

export interface HubClient {
  /**
   * The files of `model` at a branch, tag or commit, which the hub resolves to a commit. Files whose names are not plain paths,
   * which no model needs, are left out.
   * @throws CUCKOO_MODEL_FILE_ESCAPES for a name that leads out of the model's folder: no repository has one
   * @throws CUCKOO_HUB_MODEL_UNKNOWN; CUCKOO_HUB_UNREACHABLE; CUCKOO_HUB_BUSY for 408, 429 and 5xx, with its Retry-After
   */
  getListing(model: string, revision: string, signal?: AbortSignal): Promise<HubListing>
  /**
   * The content of one file from byte `offset` on. `offset` of the answer is 0 when the hub starts over.
   * @throws as getListing
   */
  openFile(model: string, commit: string, path: string, offset: number, signal?: AbortSignal): Promise<{ offset: number; body: AsyncIterable<Uint8Array> }>
  toUnreachable(error: unknown): CuckooError
  close(): Promise<void>
}

/** A client of the Hugging Face hub. Redirects (to the hub's storage) are followed, without the token on another host. */
export function createHubClient({ baseUrl, token }: HubOptions): HubClient {
  const agent = new Agent({ headersTimeout: headersTimeoutMs, bodyTimeout: idleTimeoutMs, connect: { timeout: 10_000 } })
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 5 }))
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const toUnreachable = (error: unknown) => hubUnreachable({ url: new URL(baseUrl).origin, reason: toNetworkReason(error) }, { cause: error })

  const get = async (path: string, more: Record<string, string>, signal?: AbortSignal): Promise<Dispatcher.ResponseData> => {
    try {
      return await request(`${baseUrl}${path}`, { dispatcher, headers: { ...headers, ...more, 'accept-encoding': 'identity' }, signal: signal ?? null })
    } catch (error) {
      signal?.throwIfAborted()
      throw toUnreachable(error)
    }
  }
  const refuse = async (response: Dispatcher.ResponseData, model: string, revision: string): Promise<never> => {
    await response.body.dump().catch(() => undefined)
    if ([401, 403, 404].includes(response.statusCode)) throw hubModelUnknown({ model, revision })
    const url = new URL(baseUrl).origin
    if (response.statusCode === 408 || response.statusCode === 429 || response.statusCode >= 500)
      throw hubBusy({ url, status: response.statusCode, retryAfterSeconds: toRetryAfterSeconds(response.headers['retry-after']) })
    throw hubUnreachable({ url, reason: `it answered HTTP ${response.statusCode}` })
  }

  const openFile: HubClient['openFile'] = async (model, commit, path, offset, signal) => {
    const range: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {}
    const response = await get(`/${model}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`, range, signal)
    if (response.statusCode === 200) return { offset: 0, body: response.body }
    if (response.statusCode === 206 && findRangeStart(response.headers['content-range']) === offset) return { offset, body: response.body }
    if (offset === 0 || ![206, 416].includes(response.statusCode)) return refuse(response, model, commit)
    // Another part than was asked, or none: from the start then.
    await response.body.dump().catch(() => undefined)
    return openFile(model, commit, path, 0, signal)
  }

  return {
    getListing: async (model, revision, signal) => {
      const response = await get(`/api/models/${model}/revision/${encodeURIComponent(revision)}?blobs=true`, { accept: 'application/json' }, signal)
      if (response.statusCode !== 200) return refuse(response, model, revision)
      const answer = await readAnswer(response.body).catch((error: unknown) => {
        signal?.throwIfAborted()
        throw hubUnreachable({ url: new URL(baseUrl).origin, reason: 'its answer is not a list of files' }, { cause: error })
      })
      return { commit: answer.sha, files: answer.siblings.filter(({ rfilename }) => isPlain(model, rfilename)).map(toFile) }
    },
    openFile,
    toUnreachable,
    close: () => agent.destroy(),
  }
}

async function readAnswer(body: AsyncIterable<Uint8Array>): Promise<z.infer<typeof answerSchema>> {
  return answerSchema.parse(JSON.parse(await readText(body)))
}

/** @throws CUCKOO_MODEL_FILE_ESCAPES */
function isPlain(model: string, path: string): boolean {
  const flaw = findPathFlaw(path)
  const nextStep = 'No repository has such a file: choose another mirror, or none, with CUCKOO_HUB_URL.'
  if (flaw?.escapes) throw modelFileEscapes({ model, file: path.slice(0, 200), problem: flaw.problem, nextStep })
  return flaw === null
}

function toFile({ rfilename, size, blobId, lfs }: z.infer<typeof answerSchema>['siblings'][number]): HubFile {
  return {
    path: rfilename,
    bytes: lfs?.size ?? size,
    sha256: lfs ? `0x${lfs.sha256}` : null,
    gitOid: lfs ? null : (blobId ?? null),
  }
}

/** First byte of a part as its Content-Range says (RFC 9110, 14.4); null where it says nothing. */
function findRangeStart(header: string | string[] | undefined): number | null {
  const start = typeof header === 'string' ? /^bytes (\d{1,15})-/i.exec(header)?.[1] : undefined
  return start === undefined ? null : Number(start)
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) throw new RangeError(`more than ${maxAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Seconds from now that a Retry-After header names, as a number or a date (RFC 9110, 10.2.3); null for none. */
function toRetryAfterSeconds(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null
  const seconds = /^\d{1,6}$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000)
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null
}

/** The system's or undici's error code where there is one: it says more than most messages. */
function toNetworkReason(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : error instanceof Error ? error.message : String(error)
}
