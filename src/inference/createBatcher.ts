import type { RunHooks } from '../domain/enginePort.ts'
import { createCancel, type Runs } from './createRuns.ts'

/** One of the calls that share a run. */
export interface BatchedCall<Item> {
  item: Item
  /** set when this call alone is no longer wanted */
  cancel: SharedArrayBuffer
}

/** How one call of a batch ended; null: it was cancelled. */
export type BatchedResult<Result> = { result: Result } | { error: unknown } | null

export interface BatcherOptions<Item, Result> {
  run: Runs['run']
  /** Results in the order of `calls`. `cancel` stops all of them; null says that it did. */
  start(calls: BatchedCall<Item>[], cancel: SharedArrayBuffer): Promise<BatchedResult<Result>[] | null>
  /** size of an item */
  weigh(item: Item): number
  /** calls are taken together up to this sum of sizes; a single one is always taken */
  maxWeight: number
}

interface Waiting<Item, Result> extends BatchedCall<Item> {
  onBegin: RunHooks['onBegin']
  /** told when it is aborted in its run */
  onAbandon(): void
  resolve(result: Result): void
  reject(error: unknown): void
}

/**
 * Calls that wait for their turn, taken together: the first of them and as many after it, in the order they came, as fit. A call
 * whose signal aborts is rejected at once; the others of its batch go on.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): { run(item: Item, hooks?: RunHooks): Promise<Result> } {
  const waiting: Waiting<Item, Result>[] = []

  const takeBatch = () => {
    let weight = 0
    const count = waiting.findIndex(({ item }, index) => {
      weight += options.weigh(item)
      return index > 0 && weight > options.maxWeight
    })
    return waiting.splice(0, count === -1 ? waiting.length : count)
  }
  // Every call books a turn; the first turn takes those that wait by then, and theirs find nothing left to do.
  const takeTurn = async () => {
    let batch: Waiting<Item, Result>[] = []
    const letGo = Promise.withResolvers<void>()
    letGo.promise.catch(() => undefined)
    try {
      const results = await options.run(async (cancel, abandon) => {
        batch = takeBatch()
        const abandonIfAll = () => {
          if (batch.every(({ cancel }) => Atomics.load(new Int32Array(cancel), 0) === 1)) abandon()
        }
        for (const call of batch) call.onAbandon = abandonIfAll
        batch = await beginAll(batch, letGo.promise)
        return batch.length === 0
          ? []
          : options.start(
              batch.map(({ item, cancel: own }) => ({ item, cancel: own })),
              cancel,
            )
      })
      letGo.resolve()
      for (const [index, call] of batch.entries()) settle(call, results[index] ?? null)
    } catch (error) {
      letGo.reject(error)
      for (const call of batch.length === 0 ? waiting.splice(0) : batch) call.reject(error)
    }
  }
  return {
    run: (item, { signal, onBegin } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const { cancel, abort } = createCancel()
        const forget = () => signal?.removeEventListener('abort', onAbort)
        const call: Waiting<Item, Result> = {
          item,
          cancel,
          onBegin,
          onAbandon: () => undefined,
          resolve: (result) => {
            forget()
            resolve(result)
          },
          reject: (error) => {
            forget()
            reject(error)
          },
        }
        const onAbort = () => {
          const index = waiting.indexOf(call)
          if (index !== -1) waiting.splice(index, 1)
          abort()
          call.onAbandon()
          call.reject(signal?.reason)
        }
        signal?.addEventListener('abort', onAbort, { once: true })
        waiting.push(call)
        void takeTurn()
      }),
  }
}

/** The calls that have begun: one whose `onBegin` fails is rejected with that, alone. */
async function beginAll<Item, Result>(calls: Waiting<Item, Result>[], letGo: Promise<unknown>): Promise<Waiting<Item, Result>[]> {
  const begun = await Promise.allSettled(calls.map(async ({ onBegin }) => onBegin?.(letGo)))
  return calls.filter((call, index) => {
    const begin = begun[index]
    if (begin?.status === 'rejected') call.reject(begin.reason)
    return begin?.status === 'fulfilled'
  })
}

/** A call whose result is null was cancelled, so it was rejected when its signal aborted. */
function settle<Result>(call: { resolve(result: Result): void; reject(error: unknown): void }, ended: BatchedResult<Result>): void {
  if (ended === null) return
  if ('error' in ended) call.reject(ended.error)
  else call.resolve(ended.result)
}
