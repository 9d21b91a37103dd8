import type { Hash } from '../domain/hex.ts'
import { leaseLost } from '../errors/api.ts'
import { isError } from '../errors/cuckooError.ts'
import { taskUnwanted } from '../errors/miner.ts'
import { type BackoffPolicy, waitMs } from './backoff.ts'
import type { CoordinatorLink } from './coordinatorLink.ts'
import { isTransient, toRetryMs } from './retry.ts'

/** Token ids on their way to an app that reads along. */
export interface TokenStream {
  /** ids that the coordinator has answered for */
  readonly sent: number
  push(tokenIds: readonly number[]): void
  /** Ends the stream once the request under way is answered. What is not sent by then goes with the result. */
  close(): Promise<void>
}

/** `pushTokens` takes at most 4,096 ids at once. */
const maxChunkTokens = 4096

/**
 * A stream of token ids to the coordinator: in order, one request at a time, the first ids at once and later ones together
 * every `chunkMs`. Ids whose request was not answered are sent again from the same offset. When the coordinator refuses a
 * chunk, streaming ends and the result still comes; `onEnd` gets CUCKOO_TASK_LEASE_LOST or CUCKOO_MINER_TASK_UNWANTED.
 */
export function createTokenStream(
  link: CoordinatorLink,
  task: { params: { taskId: Hash; attempt: number }; chunkMs: number; backoff: BackoffPolicy },
  onEnd: (error: Error) => void,
  signal: AbortSignal,
): TokenStream {
  const closing = new AbortController()
  const paused = AbortSignal.any([signal, closing.signal])
  const pending: number[] = []
  let offset = 0
  let failures = 0
  let sending: Promise<void> | null = null

  const end = (error: Error) => {
    closing.abort()
    onEnd(error)
  }
  const start = () => {
    sending ??= send().finally(() => {
      sending = null
      if (pending.length > 0 && !paused.aborted) start()
    })
  }

  async function send(): Promise<void> {
    while (pending.length > 0 && !paused.aborted) {
      const tokenIds = pending.slice(0, maxChunkTokens)
      try {
        const { cancel } = await link.request('pushTokens', { params: task.params, body: { offset, tokenIds } }, signal)
        offset += tokenIds.length
        pending.splice(0, tokenIds.length)
        failures = 0
        if (cancel) return end(taskUnwanted({}))
      } catch (error) {
        if (isError(error, leaseLost)) return end(error)
        if (!isTransient(error)) return closing.abort()
        await waitMs(toRetryMs(error, ++failures, task.backoff), paused)
        continue
      }
      await waitMs(task.chunkMs, paused)
    }
  }
  return {
    get sent() {
      return offset
    },
    push(tokenIds) {
      if (paused.aborted) return
      pending.push(...tokenIds)
      start()
    },
    async close() {
      closing.abort()
      await sending
    },
  }
}
