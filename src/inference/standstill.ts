import { inferenceStuck } from '../errors/inference.ts'
import type { Exclusive } from './exclusive.ts'

/** Whether the task that queues wait for goes on although nobody wants it any more, or loads a model for too long. */
export interface Standstill {
  readonly isStuck: boolean
  setStuck(isStuck: boolean): void
  /** Calls `listener` with each change until the returned function is called. */
  onChange(listener: (isStuck: boolean) => void): () => void
}

/** Nothing is stuck yet. */
export function createStandstill(): Standstill {
  const listeners = new Set<(isStuck: boolean) => void>()
  let isStuck = false
  return {
    get isStuck() {
      return isStuck
    },
    setStuck(now) {
      isStuck = now
      for (const listener of [...listeners]) listener(now)
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** A standstill that begins when something goes on for `limitMs` after `begin`, and ends with it. */
export function watchOverrun(standstill: Standstill, limitMs: number): { begin(): void; end(): void } {
  let timer: NodeJS.Timeout | undefined
  let isStuck = false
  return {
    begin() {
      if (timer !== undefined || limitMs === Number.POSITIVE_INFINITY) return
      timer = setTimeout(() => {
        isStuck = true
        standstill.setStuck(true)
      }, limitMs).unref()
    },
    end() {
      clearTimeout(timer)
      if (isStuck) standstill.setStuck(false)
    },
  }
}

/** A queue of tasks that do not wait for ever. */
export interface WatchedQueue extends Exclusive {
  readonly standstill: Standstill
  /** Like `run`, and waits however long the present task takes. */
  runLast<T>(task: () => Promise<T>): Promise<T>
}

/** `queue`, whose waiting tasks are rejected with CUCKOO_INFERENCE_STUCK when it gets stuck, later ones at once. `model` is what the error names. */
export function watchQueue(queue: Exclusive, standstill: Standstill, model: string): WatchedQueue {
  return {
    standstill,
    runLast: (task) => queue.run(task),
    async run(task, signal) {
      if (standstill.isStuck) throw inferenceStuck({ model })
      const refused = Promise.withResolvers<never>()
      refused.promise.catch(() => undefined)
      let isRefused = false
      const forget = standstill.onChange(() => {
        isRefused = true
        refused.reject(inferenceStuck({ model }))
      })
      const begin = async () => {
        if (isRefused) return refused.promise
        forget()
        return task()
      }
      try {
        return await Promise.race([queue.run(begin, signal), refused.promise])
      } finally {
        forget()
      }
    },
  }
}
