import type { Tokenizers } from '../domain/enginePort.ts'
import { openTokenizerLater } from './openTokenizer.ts'
import { createTokenizerPool, type TokenizersOptions } from './tokenizerPool.ts'

/**
 * Tokenizers made from bytes alone, in a worker thread without disk or network that starts with the first one; each call is
 * bounded by `timeoutMs`. It does not load transformers.js or the ONNX runtime.
 * `openTokenizer` throws CUCKOO_TOKENIZER_INVALID for files that are no tokenizer.
 * @example
 * const tokenizers = createTokenizers({ timeoutMs: 5_000 })
 * const tokenizer = await tokenizers.openTokenizer(new Map([['tokenizer.json', bytes]]))
 * await tokenizer.encodeText('Once upon a time') // [1, 403, 407, 261, 378]
 */
export function createTokenizers(options: TokenizersOptions): Tokenizers {
  const pool = createTokenizerPool(options)
  return {
    openTokenizer: async (files) => {
      const key = pool.newKey()
      const result = await pool.open(key, files)
      return openTokenizerLater(pool, files, result.hasChatTemplate, { key, result })
    },
    dispose: () => pool.dispose(),
  }
}
