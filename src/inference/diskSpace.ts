import { readdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Bytes that the disk of `directory`, which may not exist yet, has left for this user. */
export async function getFreeBytes(directory: string): Promise<number> {
  const stats = await statfs(directory).catch(() => null)
  if (stats !== null) return stats.bavail * stats.bsize
  const parent = dirname(directory)
  return parent === directory ? Number.POSITIVE_INFINITY : getFreeBytes(parent)
}

/** Bytes of all files below `directory`, 0 when it is not there; links are not followed. */
export async function measureFolder(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = entries.filter((entry) => entry.isFile()).map(async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
