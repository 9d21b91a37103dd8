import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { storeForeign, storeTooNew } from '../errors/store.ts'
import type { Schema } from './schema.ts'
import { toStoreError } from './sqliteErrors.ts'

/** An open file with its place, for error messages. */
export interface StoreFile {
  readonly database: DatabaseSync
  readonly directory: string
  readonly path: string
}

/**
 * Makes `directory` if it is not there, for this user only.
 * @throws CUCKOO_STORE_WRITE_FAILED when it cannot be made
 */
export function createStoreDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw toStoreError(error, { directory, path: directory })
  }
}

/** What `run` reads from the file. @throws CUCKOO_STORE_DAMAGED, CUCKOO_STORE_WRITE_FAILED when it cannot be read */
export async function runRead<T>(file: StoreFile, run: () => T): Promise<T> {
  try {
    return run()
  } catch (error) {
    throw toStoreError(error, file)
  }
}

/**
 * Opens, and if need be creates or migrates, the file of `schema` in `directory`: write-ahead log, and every commit on disk
 * before it returns (`synchronous=FULL`; NORMAL can lose acknowledged work at power loss, sqlite.org/pragma.html#pragma_synchronous).
 * @throws CUCKOO_STORE_DAMAGED, CUCKOO_STORE_FOREIGN, CUCKOO_STORE_TOO_NEW when the file is not one that this version can use
 */
export function openDatabase(directory: string, schema: Schema, options: { busyTimeoutMs: number; maxBytes?: number }): StoreFile {
  const path = join(directory, schema.fileName)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: options.busyTimeoutMs })
    assertOurs(database, schema, path)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864')
    // 32 MiB of log between checkpoints instead of 4: each copies a page once, however often it was written (a fifth more task lives per second).
    database.exec('PRAGMA wal_autocheckpoint = 8192')
    migrate(database, schema, path)
    if (options.maxBytes !== undefined) limitSize(database, options.maxBytes)
    chmodSync(path, 0o600)
    return { database, directory, path }
  } catch (error) {
    database?.close()
    throw toStoreError(error, { directory, path })
  }
}

/**
 * What `read` finds in the file of `schema` in `directory`, opened for reading only, beside a process that may own it. Undefined
 * when there is no file, or one of an older version that nobody has opened since.
 * @throws CUCKOO_STORE_DAMAGED, CUCKOO_STORE_FOREIGN, CUCKOO_STORE_TOO_NEW when the file is not one that this version can use
 */
export function readDatabase<T>(directory: string, schema: Schema, read: (database: DatabaseSync) => T): T | undefined {
  const path = join(directory, schema.fileName)
  if (!existsSync(path)) return undefined
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 2_000 })
    assertOurs(database, schema, path)
    return readPragma(database, 'user_version') === schema.migrations.length ? read(database) : undefined
  } catch (error) {
    throw toStoreError(error, { directory, path })
  } finally {
    database?.close()
  }
}

/** The number that a pragma of SQLite says. */
export function readPragma(database: DatabaseSync, name: string): number {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number
}

// Looks before anything is written: a foreign or newer file stays byte for byte as it is.
function assertOurs(database: DatabaseSync, schema: Schema, path: string): void {
  const version = readPragma(database, 'user_version')
  const applicationId = readPragma(database, 'application_id')
  const isEmpty = readPragma(database, 'schema_version') === 0
  if (!isEmpty && applicationId !== schema.applicationId) throw storeForeign({ path, expected: schema.name })
  if (version > schema.migrations.length) throw storeTooNew({ path, found: version, known: schema.migrations.length })
}

function migrate(database: DatabaseSync, schema: Schema, path: string): void {
  if (readPragma(database, 'user_version') === schema.migrations.length) return
  database.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have migrated while this one waited for the lock.
    assertOurs(database, schema, path)
    for (const migration of schema.migrations.slice(readPragma(database, 'user_version'))) database.exec(migration)
    database.exec(`PRAGMA application_id = ${schema.applicationId}; PRAGMA user_version = ${schema.migrations.length}; COMMIT`)
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function limitSize(database: DatabaseSync, maxBytes: number): void {
  database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / readPragma(database, 'page_size')))}`)
}
