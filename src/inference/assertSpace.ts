import { modelsDiskFull } from '../errors/inference.ts'
import { listCachedModels } from './cachedModels.ts'
import { getFreeBytes as getDiskBytes, measureFolder } from './diskSpace.ts'
import type { HubPlace } from './downloadRequest.ts'
import { sweepRemoved } from './removedModels.ts'

/** What a download leaves free on the disk: logs and stores of the same machine need it. */
const reserveBytes = 256 * 2 ** 20

/**
 * Asserts that `neededBytes` more fit into the cache's budget and on its disk.
 * @throws CUCKOO_MODELS_DISK_FULL naming what was not used for longest, as much as would have to go
 */
export async function assertSpace(place: HubPlace, wanted: { model: string; revision: string; neededBytes: number }): Promise<void> {
  const { directory, budgetBytes, getFreeBytes = getDiskBytes } = place
  const { model, revision, neededBytes } = wanted
  const refuse = async (limit: 'budget' | 'disk', availableBytes: number) => {
    const removable: string[] = []
    let freedBytes = 0
    const others = (await listCachedModels(directory)).filter((cached) => cached.model !== model || cached.revision !== revision)
    for (const cached of others.sort((a, b) => a.lastUsedAt - b.lastUsedAt)) {
      if (freedBytes >= neededBytes - availableBytes) break
      removable.push(`${cached.model}@${cached.revision.slice(0, 12)}`)
      freedBytes += cached.bytes
    }
    const isEnough = freedBytes >= neededBytes - availableBytes
    return modelsDiskFull({ model, directory, neededBytes, availableBytes: Math.max(0, availableBytes), limit, removable: isEnough ? removable : [] })
  }
  await sweepRemoved(directory)
  if (budgetBytes !== undefined) {
    const leftBytes = budgetBytes - (await measureFolder(directory))
    if (neededBytes > leftBytes) throw await refuse('budget', leftBytes)
  }
  const freeBytes = (await getFreeBytes(directory)) - reserveBytes
  if (neededBytes > freeBytes) throw await refuse('disk', freeBytes)
}
