import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { HubListing } from './hubClient.ts'
import { findPathFlaw, type ModelFolder } from './modelFolder.ts'

export const commitPattern = /^[0-9a-f]{40}$/

/** What the hub listed for a commit, in its folder; its time of change is when the model was last used. */
export const listingFile = 'listing.json'
const revisionsFile = 'revisions.json'

/** A model's folder in the cache, `<directory>/<owner>/<model>/<commit>`. */
export function toCachedFolder(directory: string, model: string, commit: string): ModelFolder {
  return { model, path: join(directory, model, commit), refuseHardLinks: true }
}

/** Commits by the branches and tags that stand for them on this machine; `root`: `<directory>/<owner>/<model>`. */
export async function readPins(root: string): Promise<Record<string, string>> {
  const pins = (await readJson<Record<string, string>>(join(root, revisionsFile))) ?? {}
  return Object.fromEntries(Object.entries(pins).filter(([, commit]) => commitPattern.test(commit)))
}

export function writePins(root: string, pins: Record<string, string>): Promise<void> {
  return writeJson(root, revisionsFile, pins)
}

/** What the hub listed for the commit in the folder `path`; null: it was never asked. */
export async function findListing(path: string): Promise<HubListing | null> {
  const listing = await readJson<Partial<HubListing>>(join(path, listingFile))
  return listing !== null && listing.commit === basename(path) && Array.isArray(listing.files) ? toKept(listing as HubListing) : null
}

/** Writes the listing to the commit's folder `path`, and says what is kept of it. */
export async function writeListing(path: string, listing: HubListing): Promise<HubListing> {
  const kept = toKept(listing)
  await writeJson(path, listingFile, kept)
  return kept
}

/** Without what no file of the folder can be: names that are not plain paths, which older listings have, and the listing's own. */
function toKept({ commit, files }: HubListing): HubListing {
  return { commit, files: files.filter(({ path }) => typeof path === 'string' && findPathFlaw(path) === null && path !== listingFile) }
}

async function readJson<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch {
    // Absent, or cut off by a crash: it is fetched again.
    return null
  }
}

async function writeJson(folder: string, name: string, value: unknown): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${name}.new`), JSON.stringify(value, null, 2))
  await rename(join(folder, `${name}.new`), join(folder, name))
}
