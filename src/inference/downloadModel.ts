import { utimes } from 'node:fs/promises'
import { join } from 'node:path'

import type { Hash } from '../domain/hex.ts'

import { CuckooError } from '../errors/cuckooError.ts'
import { hubOffline, modelsDirectoryUnusable, modelsDiskFull } from '../errors/inference.ts'
import { commitPattern, findListing, listingFile, readPins, toCachedFolder, writeListing, writePins } from './cacheFiles.ts'
import { toExternalFiles } from './createManifest.ts'
import { getFreeBytes as getDiskBytes } from './diskSpace.ts'
import type { DownloadRequest, HubPlace } from './downloadRequest.ts'
import { findLayout } from './findLayout.ts'
import { createHubClient, type HubClient, type HubListing } from './hubClient.ts'
import { getModelFile, type ModelFolder } from './modelFolder.ts'
import type { ModelPaths } from './modelLayout.ts'
import { lockModel } from './modelLock.ts'
import { assertRevision } from './modelName.ts'
import { readOnnxGraph } from './onnxGraph.ts'
import { retryHub } from './retryHub.ts'
import { createTransfer } from './transferFiles.ts'

export interface DownloadedModel {
  folder: ModelFolder
  revision: string
  /** the model's files on the hub */
  paths: ModelPaths
  /** sizes and hashes that were just computed */
  known: ReadonlyMap<string, { bytes: number; sha256: Hash }>
  downloadedBytes: number
  previousRevision: string | null
}

/**
 * The folder of a hub model at its commit, with every file that `dtype` needs, downloaded where it is missing, checked against
 * the hub's hashes always. A branch or tag is resolved once and stays at that commit on this machine, unless `refresh` asks
 * again. A file that was altered is set aside as `<file>.quarantined` and fetched again once.
 * @throws CUCKOO_HUB_OFFLINE when something is missing and downloads are off
 * @throws CUCKOO_HUB_UNREACHABLE, CUCKOO_HUB_BUSY, CUCKOO_HUB_MODEL_UNKNOWN, CUCKOO_HUB_FILE_CORRUPT, CUCKOO_HUB_FILE_UNHASHED
 * @throws CUCKOO_MODEL_DTYPE_MISSING, CUCKOO_MODEL_FILE_MISSING; CUCKOO_MODEL_FILE_ESCAPES for a listing that leads out of the cache
 * @throws CUCKOO_MODELS_DISK_FULL, CUCKOO_MODELS_DIRECTORY_UNUSABLE, CUCKOO_MODEL_REVISION_INVALID
 */
export async function downloadModel(request: DownloadRequest): Promise<DownloadedModel> {
  const root = join(request.directory, request.model)
  return withHub(request, async (client) => {
    const previousRevision = (await readPins(root))[request.revision ?? 'main'] ?? null
    const listing = await getListing(client, request)
    const folder = toCachedFolder(request.directory, request.model, listing.commit)
    const paths = new Set(listing.files.map(({ path }) => path))
    const layout = findLayout(paths)
    const transfer = createTransfer(client, request, folder, listing)
    await transfer.ensure(layout.listConfigFiles(paths))
    const plan = await layout.plan(folder, paths, { dtype: request.dtype, kind: request.kind ?? null })
    await transfer.ensure([...plan.files, ...plan.graphs.flatMap((graph) => listExternalFiles(graph, paths))])
    for (const file of plan.graphs) {
      const graph = await readOnnxGraph(await getModelFile(folder, file), { model: request.model, file })
      await transfer.ensure(toExternalFiles(file, graph))
    }
    const now = new Date()
    // The time of last use, for the disk budget. A cache that cannot be written is not tidied up either.
    await utimes(join(folder.path, listingFile), now, now).catch(() => undefined)
    const isMoved = previousRevision !== null && previousRevision !== listing.commit && request.revision !== listing.commit
    return { folder, revision: listing.commit, paths, ...transfer.report(), previousRevision: isMoved ? previousRevision : null }
  })
}

/** The commit of a branch or tag: as pinned on this machine, else asked from the hub and pinned. @throws as {@link downloadModel} */
export function resolveRevision(request: HubPlace & { model: string; revision: string | null; signal?: AbortSignal | undefined }): Promise<string> {
  return withHub(request, async (client) => (await getListing(client, request)).commit)
}

/** Runs `task` with a client of the hub while nobody else touches the model's files; what the file system throws gets a code. */
async function withHub<T>(request: HubPlace & { model: string; signal?: AbortSignal | undefined }, task: (client: HubClient) => Promise<T>): Promise<T> {
  const { model, directory, signal } = request
  const client = createHubClient({ baseUrl: request.baseUrl, token: request.token })
  try {
    return await lockModel(directory, model, signal, () => task(client))
  } catch (error) {
    if (error instanceof CuckooError || signal?.aborted) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
      const availableBytes = await (request.getFreeBytes ?? getDiskBytes)(directory)
      throw modelsDiskFull({ model, directory, neededBytes: 1, availableBytes, limit: 'disk', removable: [] }, { cause: error })
    }
    throw modelsDirectoryUnusable({ directory, reason: error instanceof Error ? error.message : String(error) }, { cause: error })
  } finally {
    await client.close()
  }
}

/** Files beside a graph that transformers.js' exports keep weights in: known before the graph has been read, so they come at the same time. */
function listExternalFiles(graph: string, paths: ModelPaths): string[] {
  return [...paths].filter((path) => path.startsWith(`${graph}_data`) && /^(_\d+)?$/.test(path.slice(graph.length + '_data'.length)))
}

/** The listing of the wanted commit: from this machine when it was fetched before, else from the hub. */
async function getListing(client: HubClient, request: HubPlace & Pick<DownloadRequest, 'model' | 'revision' | 'refresh' | 'signal'>): Promise<HubListing> {
  const { model, revision, directory, offline, signal } = request
  const root = join(directory, model)
  const name = revision ?? 'main'
  assertRevision(model, name)
  const isCommit = commitPattern.test(name)
  const pins = await readPins(root)
  const commit = isCommit ? name : pins[name]
  const isKnown = commit !== undefined && (isCommit || offline || request.refresh !== true)
  const known = isKnown ? await findListing(join(root, commit)) : null
  if (known !== null) return known
  if (offline) throw hubOffline({ model, missing: `revision ${name} was never downloaded` })
  const wanted = isKnown ? commit : name
  const listing = await retryHub(() => client.getListing(model, wanted, signal), { maxFailures: 3, signal })
  const kept = await writeListing(join(root, listing.commit), listing)
  if (!isCommit) await writePins(root, { ...pins, [name]: listing.commit })
  return kept
}
