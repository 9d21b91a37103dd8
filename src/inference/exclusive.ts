/** Runs tasks one after another in the order they came. */
export interface Exclusive {
  /** The task's result, once those before it have ended. A task whose signal aborts while it waits is left out and rejected with the signal's reason. */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** A queue of one. */
export function createExclusive(): Exclusive {
  let tail: Promise<unknown> = Promise.resolve()
  return {
    run: (task, signal) => {
      const result = tail.then(() => {
        signal?.throwIfAborted()
        return task()
      })
      tail = result.catch(() => undefined)
      if (signal === undefined) return result
      return Promise.race([result, rejectOnAbort(signal, result)])
    },
  }
}

/** Rejects when the signal aborts; never settles otherwise, and forgets the signal when `until` has settled. */
function rejectOnAbort(signal: AbortSignal, until: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    until.catch(() => undefined).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
