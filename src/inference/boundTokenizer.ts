import { createContext, Script } from 'node:vm'
import type { Tokenizer } from '@huggingface/tokenizers'
import { tokenizerTimedOut } from '../errors/inference.ts'

/** What runs a function of this thread under V8's watchdog, which stops a regular expression in the midst of its search too. */
const place = createContext({ work: () => undefined })
const script = new Script('work()')

/**
 * `tokenizer` itself, whose calls end after `timeoutMs`: its files may come from a stranger, and an app chooses the text. No call leaves
 * anything behind that a call which was stopped could spoil: @huggingface/tokenizers 0.2.0 searches with `match`, `matchAll`, `replaceAll`
 * and `split`, which begin anew each time, and caches whole words. What one call costs more is 0.1 ms. Without `timeoutMs` there is no limit.
 * Its calls throw CUCKOO_TOKENIZER_TIMED_OUT.
 */
export function boundTokenizer(tokenizer: Tokenizer, timeoutMs: number | undefined): Tokenizer {
  if (timeoutMs === undefined) return tokenizer
  const bind = <A extends unknown[], R>(call: (...args: A) => R, task: string) => {
    return (...args: A) => runBounded(() => call.apply(tokenizer, args), task, timeoutMs)
  }
  tokenizer.encode = bind(tokenizer.encode, 'encode the text') as Tokenizer['encode']
  tokenizer.tokenize = bind(tokenizer.tokenize, 'split the text')
  tokenizer.decode = bind(tokenizer.decode, 'decode the tokens')
  return tokenizer
}

function runBounded<R>(work: () => R, task: string, timeoutMs: number): R {
  Object.assign(place, { work })
  try {
    return script.runInContext(place, { timeout: timeoutMs }) as R
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw tokenizerTimedOut({ task, timeoutMs }, { cause: error })
  }
}
