import { statfs } from 'node:fs/promises'
import type { StoreSpace } from '../domain/storePorts.ts'
import { readPragma, runRead, type StoreFile } from './database.ts'
import { toStoreError } from './sqliteErrors.ts'

/**
 * What the file takes and may still take. A file never shrinks: what was deleted in it is room for what comes.
 * @throws CUCKOO_STORE_WRITE_FAILED, CUCKOO_STORE_DAMAGED when it cannot be read
 */
export async function readSpace(file: StoreFile, getMediaBytes: () => number): Promise<StoreSpace> {
  const { bavail, bsize } = await statfs(file.directory).catch((error: unknown) => {
    throw toStoreError(error, file)
  })
  return runRead(file, () => {
    const read = (name: string) => readPragma(file.database, name)
    const [pageBytes, pages, unused] = [read('page_size'), read('page_count'), read('freelist_count')]
    const growthBytes = Math.min(bavail * bsize, (read('max_page_count') - pages) * pageBytes)
    return { usedBytes: (pages - unused) * pageBytes, mediaBytes: getMediaBytes(), freeBytes: unused * pageBytes + growthBytes }
  })
}
