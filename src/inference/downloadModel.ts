import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DownloadProgress } from '../domain/enginePort.ts'
import type { Dtype } from '../domain/manifest.ts'
import type { ModelKind } from '../domain/taskKinds.ts'
import { CuckooError, isError } from '../errors/cuckooError.ts'
import { hubFileCorrupt, hubOffline, hubUnreachable, modelFileMissing, modelsDirectoryUnusable } from '../errors/inference.ts'
import { toExternalFiles } from './createManifest.ts'
import { createHubClient, type HubClient, type HubFile, type HubListing } from './hubClient.ts'
import { findModelFile, type ModelFolder } from './modelFolder.ts'
import { findLayout, type ModelPaths } from './modelLayout.ts'
import { readOnnxGraph } from './onnxGraph.ts'

export interface DownloadRequest {
  /** `owner/model`, already asserted */
  model: string
  /** branch, tag or commit; null is the default branch as it was when first used here */
  revision: string | null
  dtype: Dtype
  kind?: ModelKind | undefined
  /** the cache: `<directory>/<owner>/<model>/<commit>/` */
  directory: string
  baseUrl: string
  token?: string | undefined
  offline: boolean
  onProgress?: ((progress: DownloadProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

/** Times a broken connection is taken up again where it stopped. */
const maxResumes = 4
const commitPattern = /^[0-9a-f]{40}$/

/**
 * The folder of a hub model at its commit, with every file that `dtype` needs, downloaded where it is missing, checked against
 * the hub's hashes always. A branch or tag is resolved once and stays at that commit on this machine. A file that was altered is
 * set aside as `<file>.quarantined` and fetched again once.
 * @throws CUCKOO_HUB_OFFLINE when something is missing and downloads are off
 * @throws CUCKOO_HUB_UNREACHABLE, CUCKOO_HUB_MODEL_UNKNOWN, CUCKOO_HUB_FILE_CORRUPT, CUCKOO_MODEL_DTYPE_MISSING, CUCKOO_MODELS_DIRECTORY_UNUSABLE
 */
export async function downloadModel(request: DownloadRequest): Promise<{ folder: ModelFolder; revision: string; paths: ModelPaths }> {
  const client = createHubClient({ baseUrl: request.baseUrl, token: request.token })
  try {
    const listing = await getListing(client, request)
    const folder: ModelFolder = { model: request.model, path: join(request.directory, request.model, listing.commit), refuseHardLinks: true }
    const paths = new Set(listing.files.map(({ path }) => path))
    const layout = findLayout(paths)
    for (const path of layout.listConfigFiles(paths)) await ensureFile(client, request, folder, listing, path)
    const plan = await layout.plan(folder, paths, { dtype: request.dtype, kind: request.kind ?? null })
    for (const path of plan.files) await ensureFile(client, request, folder, listing, path)
    for (const file of plan.graphs) {
      const graph = await readOnnxGraph(join(folder.path, ...file.split('/')), { model: request.model, file })
      for (const path of toExternalFiles(file, graph)) await ensureFile(client, request, folder, listing, path)
    }
    return { folder, revision: listing.commit, paths }
  } catch (error) {
    if (error instanceof CuckooError || request.signal?.aborted) throw error
    throw modelsDirectoryUnusable({ directory: request.directory, reason: error instanceof Error ? error.message : String(error) }, { cause: error })
  } finally {
    await client.close()
  }
}

/** The listing of the wanted commit: from this machine when it was fetched before, else from the hub. */
async function getListing(client: HubClient, { model, revision, directory, offline, signal }: DownloadRequest): Promise<HubListing> {
  const root = join(directory, model)
  const name = revision ?? 'main'
  const pins = (await readJson<Record<string, string>>(join(root, 'revisions.json'))) ?? {}
  const commit = commitPattern.test(name) ? name : pins[name]
  const known = commit !== undefined && commitPattern.test(commit) ? await readJson<HubListing>(join(root, commit, 'listing.json')) : null
  if (known !== null) return known
  if (offline) throw hubOffline({ model, missing: `revision ${name} was never downloaded` })
  const listing = await client.getListing(model, commit ?? name, signal)
  await mkdir(join(root, listing.commit), { recursive: true })
  await writeJson(join(root, listing.commit, 'listing.json'), listing)
  if (!commitPattern.test(name)) await writeJson(join(root, 'revisions.json'), { ...pins, [name]: listing.commit })
  return listing
}

async function readJson<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch {
    // Absent, or cut off by a crash: it is fetched again.
    return null
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.${process.pid}`, JSON.stringify(value, null, 2))
  await rename(`${path}.${process.pid}`, path)
}

async function ensureFile(client: HubClient, request: DownloadRequest, folder: ModelFolder, listing: HubListing, path: string): Promise<void> {
  const file = listing.files.find((candidate) => candidate.path === path)
  if (file === undefined) throw modelFileMissing({ model: request.model, file: path })
  const target = join(folder.path, ...path.split('/'))
  const present = await findModelFile(folder, path)
  if (present !== null) {
    if ((await findDifference(present, file)) === null) return
    await rename(target, `${target}.quarantined`)
  }
  if (request.offline) throw hubOffline({ model: request.model, missing: present === null ? `${path} is missing` : `${path} was altered and set aside` })
  await mkdir(dirname(target), { recursive: true })
  for (let attempt = 1; ; attempt++) {
    await downloadFile(client, request, listing.commit, file, `${target}.part`)
    const difference = await findDifference(`${target}.part`, file)
    if (difference === null) break
    await rename(`${target}.part`, `${target}.quarantined`)
    if (attempt === 2) throw hubFileCorrupt({ model: request.model, file: path, ...difference })
  }
  await rename(`${target}.part`, target)
}

/** What the hub says and what is there, or null when they agree. */
async function findDifference(path: string, file: HubFile): Promise<{ expected: string; found: string } | null> {
  const { size } = await stat(path)
  if (size !== file.bytes) return { expected: `${file.bytes} bytes`, found: `${size} bytes` }
  const expected = file.sha256?.slice(2) ?? file.gitOid
  if (expected === null) return null
  const hash = file.sha256 !== null ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer)
  const found = hash.digest('hex')
  return found === expected ? null : { expected, found }
}

/** Fills `part` up to the file's size, going on where it, or a broken connection, stopped. */
async function downloadFile(client: HubClient, request: DownloadRequest, commit: string, file: HubFile, part: string): Promise<void> {
  for (let resumes = 0; ; resumes++) {
    const before = (await stat(part).catch(() => ({ size: 0 }))).size
    if (before > file.bytes) await rm(part)
    const offset = before > file.bytes ? 0 : before
    if (offset === file.bytes && offset > 0) return
    try {
      await receiveFile(client, request, commit, file, part, offset)
      if ((await stat(part).catch(() => ({ size: 0 }))).size === file.bytes) return
      throw hubUnreachable({ url: request.baseUrl, reason: `the connection ended early in ${file.path}` })
    } catch (error) {
      request.signal?.throwIfAborted()
      if (!isError(error, hubUnreachable) || resumes === maxResumes) throw error
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** resumes))
    }
  }
}

async function receiveFile(client: HubClient, request: DownloadRequest, commit: string, file: HubFile, part: string, wantedOffset: number): Promise<void> {
  const { offset, body } = await client.openFile(request.model, commit, file.path, wantedOffset, request.signal)
  const handle = await open(part, offset > 0 ? 'r+' : 'w')
  let receivedBytes = offset
  try {
    const chunks = body[Symbol.asyncIterator]()
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        request.signal?.throwIfAborted()
        throw client.toUnreachable(error)
      })
      if (next.done) break
      if (receivedBytes + next.value.length > file.bytes)
        throw hubFileCorrupt({ model: request.model, file: file.path, expected: `${file.bytes} bytes`, found: 'more' })
      await handle.write(next.value, 0, next.value.length, receivedBytes)
      receivedBytes += next.value.length
      request.onProgress?.({ file: file.path, receivedBytes, totalBytes: file.bytes })
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}
