import { setTimeout as delay } from 'node:timers/promises'

/** Waiting times between tries, in ms. */
export interface BackoffPolicy {
  baseMs: number
  maxMs: number
}

/**
 * Milliseconds to wait before try `failures` + 1: uniform in [base / 2, base × 2^(failures − 1)], the upper end at most
 * `maxMs`. Full jitter (Brooker, "Exponential Backoff and Jitter", AWS 2015) over a floor, so that no draw makes a busy loop.
 *
 * @example toBackoffMs({ baseMs: 500, maxMs: 30_000 }, 3, () => 0.5) // 1125
 */
export function toBackoffMs(policy: BackoffPolicy, failures: number, random: () => number = Math.random): number {
  const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(30, Math.max(0, failures - 1)))
  const floor = Math.min(policy.baseMs / 2, ceiling)
  return Math.round(floor + random() * (ceiling - floor))
}

/** Waits `ms`, or less when `signal` aborts: true after the whole time, false when it was cut short. */
export async function waitMs(ms: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal })
    return true
  } catch {
    return false
  }
}
