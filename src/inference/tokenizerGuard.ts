import type { Tokenizer } from '@huggingface/tokenizers'
import type { CuckooError } from '../errors/cuckooError.ts'
import { tokenizerTimedOut } from '../errors/inference.ts'

/**
 * What a worker says of its tokenizer to the thread that started it: int32[2], the number of the call under way, and the call's place
 * in {@link tasks}. Node's own limit (`timeout` of vm) starts a thread for each call: four calls before a run of 210 ms made it 6 to 11 ms longer
 * (Node 24.21, two cores), and text with a stop string makes a call for each token.
 */
export type TokenizerGuard = SharedArrayBuffer

const [callAt, taskAt] = [0, 1] as const
/** instead of a call's number: there is none; and: this thread is being ended */
const [none, stopped] = [0, -1] as const
const maxNumber = 2 ** 31 - 1

const tasks = ['encode the text', 'split the text', 'decode the tokens'] as const

/** how often a call is looked at; less where the limit is shorter */
const lookMs = 1_000

/**
 * `tokenizer` itself, whose calls `guard` tells of: its files may come from a stranger, and an app chooses the text. A call that the other
 * thread has given up by the time it returns, never returns. Without `guard` nothing changes.
 */
export function guardTokenizer(tokenizer: Tokenizer, guard: TokenizerGuard | undefined): Tokenizer {
  if (guard === undefined) return tokenizer
  const state = new Int32Array(guard)
  let number = 0
  const bind = <A extends unknown[], R>(call: (...args: A) => R, task: (typeof tasks)[number]) => {
    return (...args: A): R => {
      number = (number % maxNumber) + 1
      Atomics.store(state, taskAt, tasks.indexOf(task))
      Atomics.store(state, callAt, number)
      try {
        return call.apply(tokenizer, args)
      } finally {
        // A worker that went on into the runtime now would take the process with it when it is ended there.
        if (Atomics.compareExchange(state, callAt, number, none) !== number) Atomics.wait(state, callAt, stopped)
      }
    }
  }
  tokenizer.encode = bind(tokenizer.encode, 'encode the text') as Tokenizer['encode']
  tokenizer.tokenize = bind(tokenizer.tokenize, 'split the text')
  tokenizer.decode = bind(tokenizer.decode, 'decode the tokens')
  return tokenizer
}

/** The side of the thread that started the worker. */
export interface TokenizerWatch {
  readonly guard: TokenizerGuard
  /** What `work` gives, which the worker does: where a call of the tokenizer takes too long meanwhile, not before the worker has ended. */
  watch<T>(work: () => Promise<T>): Promise<T>
}

/** Calls `stop`, which ends the worker, with CUCKOO_TOKENIZER_TIMED_OUT when a call of its tokenizer takes longer than `timeoutMs`; up to two seconds later. */
export function watchTokenizer(timeoutMs: number, stop: (reason: CuckooError) => Promise<void>): TokenizerWatch {
  const guard = new SharedArrayBuffer(8)
  const state = new Int32Array(guard)
  let stopping: Promise<void> | undefined
  const look = (seen: { call: number; sinceMs: number }): void => {
    const call = Atomics.load(state, callAt)
    if (call !== seen.call) Object.assign(seen, { call, sinceMs: performance.now() })
    const isOver = call > none && performance.now() - seen.sinceMs >= timeoutMs
    if (!isOver || Atomics.compareExchange(state, callAt, call, stopped) !== call) return
    stopping = stop(tokenizerTimedOut({ task: tasks[Atomics.load(state, taskAt)] as string, timeoutMs }))
  }
  return {
    guard,
    async watch(work) {
      const seen = { call: none, sinceMs: 0 }
      const timer = setInterval(look, Math.min(lookMs, timeoutMs / 2), seen).unref()
      try {
        return await work()
      } finally {
        clearInterval(timer)
        await stopping
      }
    },
  }
}
