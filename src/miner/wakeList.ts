/** Those who wait for a change; the coordinator's notifier also waits by the clock. */
export interface WakeList {
  /** Wakes everyone who waits. */
  notify(): void
  /** Resolves at the next `notify`, or when `signal` aborts. */
  wait(signal?: AbortSignal): Promise<void>
}

/** A list nobody waits on yet. */
export function createWakeList(): WakeList {
  const waiting = new Set<() => void>()
  return {
    notify() {
      for (const wake of [...waiting]) wake()
    },
    wait(signal) {
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        if (signal?.aborted) return resolve()
        waiting.add(wake)
        signal?.addEventListener('abort', wake)
      })
    },
  }
}
