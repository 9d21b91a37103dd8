/** Wakes those who wait for a change. It keeps nothing but who waits now. */
export class Notifier {
  readonly #listeners = new Set<() => void>()

  /** Number of those who wait now. */
  get waiting(): number {
    return this.#listeners.size
  }

  /** Wakes everyone who waits. */
  notify(): void {
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    for (const wake of listeners) wake()
  }

  /** Resolves at the next change, on abort, or after `timeoutMs`, whichever comes first; leaves no timer or listener behind. */
  wait(signal: AbortSignal, timeoutMs?: number): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(wake, timeoutMs)
      const listeners = this.#listeners
      function wake() {
        listeners.delete(wake)
        signal.removeEventListener('abort', wake)
        clearTimeout(timer)
        resolve()
      }
      listeners.add(wake)
      signal.addEventListener('abort', wake)
    })
  }
}
