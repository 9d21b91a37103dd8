import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'

const retryMs = 100
/** SQLITE_BUSY (sqlite.org/rescode.html) */
const busy = 5

/**
 * What `task` returns, which runs while no other process, nor another call of this one, does anything to the model's files in
 * the cache `directory`, as {@link lockFile}.
 */
export function lockModel<T>(directory: string, model: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
  return lockFile(join(directory, '.locks', model.replace('/', '--')), signal, task)
}

/**
 * What `task` returns, which runs while nobody else has the lock `path`, a file that is made where it is missing. The lock is
 * the operating system's, held through an exclusive transaction on an empty SQLite file: the kernel frees it when a process is
 * killed. Where nothing can be written nothing can be altered either, and the task runs without it.
 * Rejects with the signal's reason when it aborts while waiting.
 */
export async function lockFile<T>(path: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EROFS' && error.code !== 'EACCES') throw error
  })
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!writable) return task()
  const database = await waitForLock(path, signal)
  try {
    return await task()
  } finally {
    database.close()
  }
}

async function waitForLock(path: string, signal: AbortSignal | undefined): Promise<DatabaseSync> {
  for (;;) {
    signal?.throwIfAborted()
    const database = new DatabaseSync(path)
    try {
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return database
    } catch (error) {
      database.close()
      if ((error as { errcode?: number }).errcode !== busy) throw error
    }
    await setTimeout(retryMs, undefined, { signal }).catch(() => undefined)
  }
}
