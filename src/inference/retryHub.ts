import { setTimeout } from 'node:timers/promises'
import { isError } from '../errors/cuckooError.ts'
import { hubBusy, hubUnreachable } from '../errors/inference.ts'

const baseDelayMs = 250
/** A hub that wants more than a minute is not waited for: a person decides. */
const maxDelayMs = 60_000

/**
 * What `attempt` returns. Where the hub cannot be reached or is busy it is tried again, `maxFailures` times in all without
 * progress, after a wait that doubles from 250 ms, or as long as the hub's Retry-After says.
 * @param options.hasProgressed true when the last attempt got further than the one before: failures then count from one
 */
export async function retryHub<T>(
  attempt: () => Promise<T>,
  options: { maxFailures: number; signal?: AbortSignal | undefined; hasProgressed?: () => boolean },
): Promise<T> {
  const { maxFailures, signal, hasProgressed = () => false } = options
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      signal?.throwIfAborted()
      if (hasProgressed()) failures = 1
      if (!(isError(error, hubUnreachable) || isError(error, hubBusy)) || failures === maxFailures) throw error
      const { retryAfterSeconds } = error.facts
      const delayMs = Math.max(baseDelayMs * 2 ** (failures - 1), typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1_000 : 0)
      if (delayMs > maxDelayMs) throw error
      await setTimeout(delayMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
    }
  }
}
