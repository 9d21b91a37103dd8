import type { CuckooError } from '../errors/cuckooError.ts'
import type { Exclusive } from './exclusive.ts'

/** A model's runs: one after another, each cancellable through shared memory that the worker looks at while it computes. */
export interface Runs {
  /** The run's result; rejects with the signal's reason at once when it aborts. @throws `closed` after `close` */
  run<T>(start: (cancel: SharedArrayBuffer) => Promise<T | null>, signal?: AbortSignal): Promise<T>
  /** Stops the present run, refuses those that wait with `reason`, and then does `last`. */
  close(reason: CuckooError, last: () => Promise<unknown>): Promise<unknown>
}

/** Runs that share `queue`. A run that gives null was cancelled. */
export function createRuns(queue: Exclusive): Runs {
  let closed: CuckooError | null = null
  let present: Int32Array | null = null
  return {
    run: (start, signal) =>
      queue.run(async () => {
        if (closed !== null) throw closed
        const { cancel, abort } = createCancel()
        present = new Int32Array(cancel)
        signal?.addEventListener('abort', abort, { once: true })
        try {
          const result = await start(cancel)
          if (result === null) throw signal?.aborted ? signal.reason : closed
          return result
        } finally {
          present = null
          signal?.removeEventListener('abort', abort)
        }
      }, signal),
    close: (reason, last) => {
      closed ??= reason
      if (present !== null) Atomics.store(present, 0, 1)
      return queue.run(last)
    },
  }
}

/** Shared memory that a worker looks at, and what sets it. */
export function createCancel(): { cancel: SharedArrayBuffer; abort: () => void } {
  const cancel = new SharedArrayBuffer(4)
  const flag = new Int32Array(cancel)
  return { cancel, abort: () => void Atomics.store(flag, 0, 1) }
}
