import type { RunHooks } from '../domain/enginePort.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import type { Exclusive } from './exclusive.ts'

/** A model's runs: one after another, each cancellable through shared memory that the worker looks at while it computes. */
export interface Runs {
  /** The run's result; rejects with the signal's reason at once when it aborts. @throws the reason of `close` after it, and what `findEnd` found */
  run<T>(start: (cancel: SharedArrayBuffer) => Promise<T | null>, hooks?: RunHooks): Promise<T>
  /** Stops the present run, refuses those that wait with `reason`, and then does `last`. */
  close(reason: CuckooError, last: () => Promise<unknown>): Promise<unknown>
}

/** Runs that share `queue`. A run that gives null was cancelled. What `findEnd` gives is why a run whose turn has come cannot begin. */
export function createRuns(queue: Exclusive, findEnd: () => CuckooError | null = () => null): Runs {
  let closed: CuckooError | null = null
  let present: Int32Array | null = null
  return {
    run: (start, { signal, onBegin } = {}) =>
      queue.run(async () => {
        const end = closed ?? findEnd()
        if (end !== null) throw end
        const { cancel, abort } = createCancel()
        const flag = new Int32Array(cancel)
        present = flag
        signal?.addEventListener('abort', abort, { once: true })
        const letGo = Promise.withResolvers<void>()
        letGo.promise.catch(() => undefined)
        try {
          await onBegin?.(letGo.promise)
          const result = Atomics.load(flag, 0) === 1 ? null : await start(cancel)
          letGo.resolve()
          if (result === null) throw signal?.aborted ? signal.reason : closed
          return result
        } catch (error) {
          letGo.reject(error)
          throw error
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
