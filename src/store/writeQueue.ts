import { CuckooError } from '../errors/cuckooError.ts'
import { storeClosed } from '../errors/store.ts'
import type { StoreFile } from './database.ts'
import { isConstraint, toStoreError } from './sqliteErrors.ts'

/** What a write survives once its promise has resolved: the end of this process, or a loss of power as well (one flush of the disk per commit). */
export type Durability = 'process' | 'power'

interface Write {
  run: () => unknown
  durability: Durability
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

/** One transaction takes at most so many writes: it bounds how long the event loop stands still (about 15 ms at 512). */
const maxBatch = 512

/**
 * Group commit: writes queue up and one transaction takes all that arrived in the same turn of the event loop, so that one
 * fsync serves many. A promise resolves after its COMMIT: what is acknowledged is durable.
 */
export class WriteQueue {
  readonly #file: StoreFile
  readonly #waiting: Write[] = []
  #scheduled = false
  #closed = false
  #durability: Durability = 'power'

  constructor(file: StoreFile) {
    this.#file = file
  }

  /**
   * What `run` returns, once its transaction has the durability (by default: is on disk). `run` speaks to the database and to nothing else: it runs again when a
   * neighbour in its batch failed.
   * @throws CUCKOO_STORE_FULL, CUCKOO_STORE_BUSY, CUCKOO_STORE_WRITE_FAILED when the batch could not be committed; nothing of it was written
   * @throws CUCKOO_STORE_CLOSED after close
   */
  write<T>(run: () => T, durability: Durability = 'power'): Promise<T> {
    if (this.#closed) return Promise.reject(storeClosed({}))
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run, durability, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => this.#flush())
    })
  }

  /** Commits what waits and refuses what comes later. */
  close(): void {
    this.#closed = true
    while (this.#waiting.length > 0) this.#flush()
  }

  #flush(): void {
    this.#scheduled = false
    const batch = this.#waiting.splice(0, maxBatch)
    if (this.#waiting.length > 0) {
      this.#scheduled = true
      setImmediate(() => this.#flush())
    }
    if (batch.length > 0) this.#commit(batch)
  }

  #commit(batch: Write[]): void {
    const { database } = this.#file
    const values: unknown[] = []
    let current: Write | undefined
    try {
      this.#setDurability(batch.some((write) => write.durability === 'power') ? 'power' : 'process')
      database.exec('BEGIN IMMEDIATE')
      for (const write of batch) {
        current = write
        values.push(write.run())
      }
      current = undefined
      database.exec('COMMIT')
    } catch (error) {
      // SQLite has rolled back by itself after a full disk, and not after a broken constraint.
      if (database.isTransaction) database.exec('ROLLBACK')
      const failure = toStoreError(error, this.#file)
      const isItsOwnFault = current !== undefined && (error instanceof CuckooError || isConstraint(error) || error instanceof TypeError)
      if (!isItsOwnFault) {
        for (const write of batch) write.reject(failure)
        return
      }
      current?.reject(failure)
      const others = batch.filter((write) => write !== current)
      if (others.length > 0) this.#commit(others)
      return
    }
    for (const [index, write] of batch.entries()) write.resolve(values[index] as never)
  }

  // In a write-ahead log NORMAL leaves the flush to the next FULL commit or checkpoint (sqlite.org/pragma.html#pragma_synchronous).
  #setDurability(durability: Durability): void {
    if (durability === this.#durability) return
    this.#file.database.exec(`PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`)
    this.#durability = durability
  }
}
