import type { RunHooks } from '../domain/enginePort.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { type WatchedQueue, watchOverrun } from './standstill.ts'

/** A model's runs: one after another, each cancellable through shared memory that the worker looks at while it computes. */
export interface Runs {
  /**
   * The run's result; rejects with the signal's reason at once when it aborts. `start` may tell that nobody wants the run any more.
   * @throws the reason of `close` after it, and what `findEnd` found; CUCKOO_INFERENCE_STUCK
   */
  run<T>(start: (cancel: SharedArrayBuffer, abandon: () => void) => Promise<T | null>, hooks?: RunHooks): Promise<T>
  /** Stops the present run, refuses those that wait with `reason`, and then does `last`. */
  close(reason: CuckooError, last: () => Promise<unknown>): Promise<unknown>
}

export interface RunsOptions {
  queue: WatchedQueue
  /** for the present run to let go once nobody wants it any more, ms: after that its queue is stuck until it does */
  letGoMs: number
  /** why a run whose turn has come cannot begin */
  findEnd?: () => CuckooError | null
}

/** Runs that share `queue`. A run that gives null was cancelled. */
export function createRuns({ queue, letGoMs, findEnd = () => null }: RunsOptions): Runs {
  let closed: CuckooError | null = null
  let stopPresent: (() => void) | null = null
  return {
    run: (start, { signal, onBegin } = {}) =>
      queue.run(async () => {
        const end = closed ?? findEnd()
        if (end !== null) throw end
        const { cancel, abort } = createCancel()
        const overrun = watchOverrun(queue.standstill, letGoMs)
        const stop = () => {
          abort()
          overrun.begin()
        }
        stopPresent = stop
        signal?.addEventListener('abort', stop, { once: true })
        const letGo = Promise.withResolvers<void>()
        letGo.promise.catch(() => undefined)
        try {
          await onBegin?.(letGo.promise)
          const result = Atomics.load(new Int32Array(cancel), 0) === 1 ? null : await start(cancel, overrun.begin)
          letGo.resolve()
          if (result === null) throw signal?.aborted ? signal.reason : closed
          return result
        } catch (error) {
          letGo.reject(error)
          throw error
        } finally {
          stopPresent = null
          signal?.removeEventListener('abort', stop)
          overrun.end()
        }
      }, signal),
    close: (reason, last) => {
      closed ??= reason
      stopPresent?.()
      return queue.runLast(last)
    },
  }
}

/** Shared memory that a worker looks at, and what sets it. */
export function createCancel(): { cancel: SharedArrayBuffer; abort: () => void } {
  const cancel = new SharedArrayBuffer(4)
  const flag = new Int32Array(cancel)
  return { cancel, abort: () => void Atomics.store(flag, 0, 1) }
}
