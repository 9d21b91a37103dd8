import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { storeLocked } from '../errors/store.ts'
import { isBusy, toStoreError } from './sqliteErrors.ts'

/** Ends ownership. */
export interface OwnerLock {
  release(): void
}

/**
 * Makes this process the only owner of `directory` until it is released or the process ends, however it ends. The lock is the
 * operating system's, held through an exclusive transaction on an empty SQLite file: the kernel frees it when a process is
 * killed, so there is no stale lock to judge and no pid that could be somebody else's by now. The pid beside it is for people.
 * @throws CUCKOO_STORE_LOCKED when another process, or this one, owns it already
 * @throws CUCKOO_STORE_WRITE_FAILED when the directory cannot be written
 */
export function createOwnerLock(directory: string): OwnerLock {
  const ownerFile = join(directory, 'owner.json')
  const path = join(directory, 'owner.lock')
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path)
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if (isBusy(error)) throw storeLocked({ directory, owner: readOwner(ownerFile) }, { cause: error })
    throw toStoreError(error, { directory, path })
  }
  const held = database
  writeFileSync(ownerFile, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }))
  return {
    release() {
      rmSync(ownerFile, { force: true })
      held.close()
    },
  }
}

function readOwner(path: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; since: string }
    return `process ${pid} since ${since}`
  } catch {
    // The owner writes the file just after it has the lock: for that moment, and for no other, its name is unknown.
    return 'another process'
  }
}
