import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Bytes that the disk of `directory`, which may not exist yet, has left for this user. */
export async function getFreeBytes(directory: string): Promise<number> {
  const stats = await statfs(directory).catch(() => null)
  if (stats !== null) return stats.bavail * stats.bsize
  const parent = dirname(directory)
  return parent === directory ? 0 : getFreeBytes(parent)
}
