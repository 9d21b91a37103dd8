import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { listFolders } from './cachedModels.ts'

/** A folder of a commit that is being removed. */
const removedPattern = /^[0-9a-f]{40}\.removed$/

/** Deletes a commit's folder, moved aside first: a removal that is cut off leaves no half model behind. */
export async function removeFolder(path: string): Promise<void> {
  const aside = `${path}.removed`
  await rm(aside, { recursive: true, force: true })
  await rename(path, aside)
  await rm(aside, { recursive: true, force: true })
}

/**
 * Deletes what removals that were cut off left in the cache `directory`. Nobody reads or writes there any more, so no model's
 * lock is waited for, which a download holds for hours. What cannot be deleted stays.
 */
export async function sweepRemoved(directory: string): Promise<void> {
  for (const owner of await listFolders(directory))
    for (const name of await listFolders(join(directory, owner))) {
      const left = (await listFolders(join(directory, owner, name))).filter((folder) => removedPattern.test(folder))
      for (const folder of left) await rm(join(directory, owner, name, folder), { recursive: true, force: true }).catch(() => undefined)
    }
}
