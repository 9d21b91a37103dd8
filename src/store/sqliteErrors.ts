import { CuckooError } from '../errors/cuckooError.ts'
import { storeBusy, storeDamaged, storeFull, storeWriteFailed } from '../errors/store.ts'

/** Primary result codes of SQLite (sqlite.org/rescode.html); the low byte of an extended code. */
const sqliteCodes = { busy: 5, locked: 6, corrupt: 11, full: 13, constraint: 19, notADatabase: 26 } as const

/** SQLite's primary result code in `error`, undefined for any other error. */
function findSqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}

/** True when another connection holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  const code = findSqliteCode(error)
  return code === sqliteCodes.busy || code === sqliteCodes.locked
}

/** True when one statement broke a rule of the schema: the transaction is as it was before that statement. */
export function isConstraint(error: unknown): boolean {
  return findSqliteCode(error) === sqliteCodes.constraint
}

/** `error` as one of ours, by SQLite's result code: full disk, lock, damage, or any other failure of the disk. */
export function toStoreError(error: unknown, place: { directory: string; path: string }): CuckooError {
  if (error instanceof CuckooError) return error
  const reason = error instanceof Error ? error.message : String(error)
  const options = { cause: error }
  switch (findSqliteCode(error)) {
    case sqliteCodes.full:
      return storeFull({ directory: place.directory }, options)
    case sqliteCodes.busy:
    case sqliteCodes.locked:
      return storeBusy({ directory: place.directory }, options)
    case sqliteCodes.corrupt:
    case sqliteCodes.notADatabase:
      return storeDamaged({ path: place.path, reason }, options)
    default:
      return storeWriteFailed({ directory: place.directory, reason }, options)
  }
}
