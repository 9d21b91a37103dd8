import { inferenceDisposed, tokenizerTimedOut } from '../errors/inference.ts'
import { findSibling } from './findSibling.ts'
import type { InferenceLogger } from './logger.ts'
import type { TokenizerProtocol } from './tokenizerWorker.ts'
import { createWorkerClient, type WorkerClient } from './workerClient.ts'

export interface TokenizersOptions {
  /** the longest one call may take in ms; longer and the worker is ended and a new one started */
  timeoutMs: number
  logger?: InferenceLogger
}

type Method = 'encodeText' | 'encodeChat' | 'decode'
type Files = ReadonlyMap<string, Uint8Array>
type Opened = TokenizerProtocol['open']['result']

/** One worker for all tokenizers. `files` go along with each call, because a new worker must open the tokenizer again. */
export interface TokenizerPool {
  open(key: number, files: Files): Promise<Opened>
  call<M extends Method>(method: M, args: TokenizerProtocol[M]['args'], files: Files): Promise<TokenizerProtocol[M]['result']>
  close(key: number): Promise<void>
  newKey(): number
  dispose(): Promise<void>
}

/** A template that fills the memory ends its worker, not the process. About 50 tokenizers of 150,000 words fit. */
const resourceLimits = { maxOldGenerationSizeMb: 3072 }

/** Starting a thread on a busy machine is not the tokenizer's fault and has its own time. */
const startTimeoutMs = 60_000

const tasks = {
  encodeText: 'encode the text',
  encodeChat: 'render and encode the chat',
  decode: 'decode the tokens',
  open: 'load',
  ready: 'start',
  close: 'close',
}

/**
 * A worker thread for tokenizers, started with the first call. Calls run one after another, so the call that exceeds its time is
 * the one that is rejected; the worker is then replaced and tokenizers open again by themselves.
 */
export function createTokenizerPool({ timeoutMs, logger }: TokenizersOptions): TokenizerPool {
  let worker: WorkerClient<TokenizerProtocol> | null = null
  let open = new Set<number>()
  let nextKey = 0
  let disposed = false
  let tail: Promise<unknown> = Promise.resolve()

  const enqueue = <T>(task: () => Promise<T>): Promise<T> => {
    const result = tail.then(task)
    tail = result.catch(() => undefined)
    return result
  }
  const callBounded = async <M extends keyof TokenizerProtocol>(
    target: WorkerClient<TokenizerProtocol>,
    method: M,
    args: TokenizerProtocol[M]['args'],
    boundMs = timeoutMs,
  ): Promise<TokenizerProtocol[M]['result']> => {
    const timer = setTimeout(() => void target.terminate(tokenizerTimedOut({ task: tasks[method], timeoutMs: boundMs })), boundMs)
    try {
      return await target.call(method, args)
    } finally {
      clearTimeout(timer)
    }
  }
  const getWorker = async () => {
    if (disposed) throw inferenceDisposed({ what: 'tokenizer' })
    if (worker === null || worker.ended !== null) {
      open = new Set()
      worker = createWorkerClient<TokenizerProtocol>({ name: 'tokenizer', file: findSibling('tokenizerWorker', import.meta.url), resourceLimits, logger })
      await callBounded(worker, 'ready', null, startTimeoutMs)
    }
    return worker
  }
  const openNow = async (key: number, files: Files) => {
    const opened = await callBounded(await getWorker(), 'open', { key, files })
    open.add(key)
    return opened
  }

  return {
    newKey: () => nextKey++,
    open: (key, files) => enqueue(() => openNow(key, files)),
    call: (method, args, files) =>
      enqueue(async () => {
        if (worker === null || worker.ended !== null || !open.has(args.key)) await openNow(args.key, files)
        return callBounded(await getWorker(), method, args)
      }),
    close: (key) =>
      enqueue(async () => {
        if (open.delete(key) && worker !== null && worker.ended === null) await callBounded(worker, 'close', { key })
      }),
    dispose: async () => {
      disposed = true
      await worker?.terminate(inferenceDisposed({ what: 'tokenizer' }))
    },
  }
}
