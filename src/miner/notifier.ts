/** Wakes everyone who waits for a change. */
export interface Notifier {
  notify(): void
  /** Resolves at the next `notify`, or when `signal` aborts. */
  wait(signal?: AbortSignal): Promise<void>
}

/** A notifier nobody waits for yet. */
export function createNotifier(): Notifier {
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
