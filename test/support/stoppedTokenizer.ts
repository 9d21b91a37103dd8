/** A worker for boundedTokenizers.test.ts: its tokenizer is given up, as another thread would do it, while it works on the second text. */
import { parentPort } from 'node:worker_threads'
import type { Tokenizer } from '@huggingface/tokenizers'
import { guardTokenizer } from '../../src/inference/tokenizerGuard.ts'

const guard = new SharedArrayBuffer(8)
const say = (text: string) => parentPort?.postMessage(text)
const encode = (text: string) => {
  if (text === 'late') {
    Atomics.store(new Int32Array(guard), 0, -1)
    say('given up')
  }
  return text
}
const tokenizer = guardTokenizer({ encode, tokenize: encode, decode: encode } as unknown as Tokenizer, guard)
say(`encoded: ${tokenizer.encode('fine')}`)
say(`encoded: ${tokenizer.encode('late')}`)
