import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { toManifestDigest } from '../domain/manifest.ts'
import type { AlteredFile, CachedModel, InspectedModel, ModelCache, PullHooks, VerifiedModel } from '../domain/modelCachePort.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { modelBundled, modelNotFound } from '../errors/inference.ts'
import { createAllowedModels } from './allowedModels.ts'
import { listBundledModels } from './bundledModels.ts'
import { listCachedModels } from './cachedModels.ts'
import { findListing, toCachedFolder } from './cacheFiles.ts'
import { inspectModel } from './createManifest.ts'
import { downloadModel, resolveRevision } from './downloadModel.ts'
import type { DownloadRequest } from './downloadRequest.ts'
import type { HubFile } from './hubClient.ts'
import { findModelFile, setAside } from './modelFolder.ts'
import { lockModel } from './modelLock.ts'
import { assertModelName } from './modelName.ts'
import { assertSafe, getLocalFolder, type ModelPlaces, toHubPlace } from './prepareModel.ts'
import { removeFolder, sweepRemoved } from './removedModels.ts'
import { compareFile, repairFiles } from './transferFiles.ts'

/**
 * The cache of hub models in `places`.
 * @example await createModelCache({ modelsDirectory: '/home/me/.cuckoo/models' }).list() // [{ model: 'owner/model', revision: 'c0ffee…', … }]
 */
export function createModelCache(places: ModelPlaces): ModelCache {
  const place = toHubPlace(places)
  const allowed = places.allowedModelsFile === undefined ? null : createAllowedModels(places.allowedModelsFile)
  const list = async () => {
    await sweepRemoved(place.directory)
    return listCachedModels(place.directory)
  }
  const findCached = async (wanted: { model: string; revision: string | null } | null): Promise<CachedModel[]> => {
    const cached = await list()
    if (wanted === null) return cached
    assertModelName(wanted.model)
    const found = cached.filter(({ model }) => model === wanted.model).filter((entry) => wanted.revision === null || isRevision(entry, wanted.revision))
    if (found.length > 0) return found
    const bundled = (await listBundledModels()).map(({ model }) => model)
    if (bundled.includes(wanted.model)) throw modelBundled({ model: wanted.model })
    const owner = wanted.model.slice(0, wanted.model.indexOf('/') + 1)
    if (bundled.some((model) => model.startsWith(owner)))
      throw modelNotFound({ model: wanted.model, where: 'the models that ship with cuckoo', known: bundled.join(', ') })
    const known = [...new Set(cached.map(({ model, revision }) => `${model}@${revision.slice(0, 12)}`))].join(', ')
    const name = wanted.revision === null ? wanted.model : `${wanted.model}@${wanted.revision.slice(0, 80)}`
    throw modelNotFound({ model: name, where: `the cache ${place.directory}`, known })
  }
  return {
    directory: place.directory,
    budgetBytes: places.budgetBytes ?? null,
    list,
    resolve: async (model, revision, signal) => {
      assertModelName(model)
      return resolveRevision({ ...place, model, revision, signal })
    },
    pull: async ({ model, dtype, kind, revision }, hooks = {}) => {
      assertModelName(model)
      const downloaded = await downloadModel({ ...place, model, dtype, kind, revision, refresh: true, ...hooks })
      const { folder, downloadedBytes, previousRevision } = downloaded
      const inspected = await inspectModel(folder, { dtype, kind, revision: downloaded.revision, paths: downloaded.paths, known: downloaded.known })
      assertSafe(model, inspected.findings)
      await allowed?.allow(inspected.manifest)
      return { ...toInspected(inspected), path: folder.path, downloadedBytes, previousRevision }
    },
    inspect: async ({ model, dtype, kind, source }) => {
      assertModelName(model)
      if (source.from !== 'hub') return toInspected(await inspectModel(await getLocalFolder(model, source), { dtype, kind, revision: null }))
      const { folder, ...pinned } = await downloadModel({ ...place, model, dtype, kind, revision: source.revision, offline: true })
      return toInspected(await inspectModel(folder, { dtype, kind, ...pinned }))
    },
    verify: async (wanted, options) => {
      const verified: VerifiedModel[] = []
      for (const { model, revision } of await findCached(wanted)) verified.push(await verifyModel({ ...place, model, revision, dtype: 'fp32' }, options))
      return verified
    },
    remove: async (wanted, { dryRun }) => {
      assertModelName(wanted.model)
      const cached = await findCached(wanted)
      if (dryRun) return cached
      for (const { model, revision } of cached)
        await lockModel(place.directory, model, undefined, () => removeFolder(toCachedFolder(place.directory, model, revision).path))
      return cached
    },
  }
}

function isRevision({ revision, names }: CachedModel, wanted: string): boolean {
  return names.includes(wanted) || (/^[0-9a-f]{7,40}$/.test(wanted) && revision.startsWith(wanted))
}

function toInspected({ manifest, findings }: Omit<InspectedModel, 'digest'>): InspectedModel {
  return { manifest, digest: toManifestDigest(manifest), findings }
}

/** A link where a file was, or a file that was set aside before and has not been fetched since. */
function toRefused(error: CuckooError | null): { bytes: number; difference: { expected: string; found: string } } {
  return { bytes: 0, difference: { expected: 'a plain file', found: error === null ? 'none: it was set aside before' : error.message } }
}

async function verifyModel(
  request: DownloadRequest & { revision: string },
  { repair, onProgress, signal }: PullHooks & { repair: boolean },
): Promise<VerifiedModel> {
  const { directory, model, revision } = request
  const folder = toCachedFolder(directory, model, revision)
  return lockModel(directory, model, signal, async () => {
    const listing = await findListing(folder.path)
    const altered: AlteredFile[] = []
    const broken: HubFile[] = []
    let [files, bytes] = [0, 0]
    for (const file of listing?.files ?? []) {
      signal?.throwIfAborted()
      const path = await findModelFile(folder, file.path).catch((error: CuckooError) => error)
      const isAside = path === null && existsSync(join(folder.path, `${file.path}.quarantined`))
      if (path === null && !isAside) continue
      const { bytes: size, difference } = typeof path === 'string' ? await compareFile(path, file) : toRefused(path)
      files++
      bytes += size
      if (difference === null) continue
      if (path !== null) await setAside(folder, file.path)
      altered.push({ path: file.path, ...difference, repaired: false })
      broken.push(file)
    }
    if (broken.length === 0 || listing === null) return { model, revision, files, bytes, altered }
    if (repair) await repairFiles({ ...request, onProgress, signal }, folder, listing, broken)
    return { model, revision, files, bytes, altered: altered.map((file) => ({ ...file, repaired: repair })) }
  })
}
