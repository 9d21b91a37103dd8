import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CachedModel } from '../domain/modelCachePort.ts'
import { commitPattern, findListing, listingFile, readPins, toCachedFolder } from './cacheFiles.ts'
import { measureFolder } from './diskSpace.ts'
import { findLayout } from './findLayout.ts'
import { listModelPaths } from './modelFolder.ts'

/** The models of the cache `directory` at each of their commits, by name, the newest use first. */
export async function listCachedModels(directory: string): Promise<CachedModel[]> {
  const models: CachedModel[] = []
  for (const owner of await listFolders(directory))
    for (const name of await listFolders(join(directory, owner))) {
      const model = `${owner}/${name}`
      const pins = Object.entries(await readPins(join(directory, model)))
      const commits = (await listFolders(join(directory, model))).filter((commit) => commitPattern.test(commit))
      const found = await Promise.all(
        commits.map((commit) =>
          readCachedModel(
            directory,
            model,
            commit,
            pins.filter(([, pinned]) => pinned === commit).map(([pin]) => pin),
          ),
        ),
      )
      models.push(...found.sort((a, b) => b.lastUsedAt - a.lastUsedAt))
    }
  return models
}

async function readCachedModel(directory: string, model: string, revision: string, names: string[]): Promise<CachedModel> {
  const folder = toCachedFolder(directory, model, revision)
  const [listing, paths] = await Promise.all([findListing(folder.path), listModelPaths(folder)])
  const listed = new Set(listing?.files.map(({ path }) => path) ?? [])
  // A graph without its weights is not there yet.
  const isWhole = (path: string) => ![...listed].some((other) => other.startsWith(`${path}_data`) && !paths.has(other))
  const present = new Set([...paths].filter((path) => listed.has(path) && isWhole(path)))
  const { mtimeMs } = await stat(join(folder.path, listingFile)).catch(() => ({ mtimeMs: 0 }))
  return {
    model,
    revision,
    names: names.sort(),
    dtypes: findLayout(present).listDtypes(present),
    bytes: await measureFolder(folder.path),
    quarantined: [...paths].filter((path) => path.endsWith('.quarantined')).length,
    lastUsedAt: Math.floor(mtimeMs / 1_000),
  }
}

/** Names of the folders in `path`, sorted. */
export async function listFolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort()
}
