import type { OpenTokenizer } from '../domain/enginePort.ts'
import { IncrementalDecoder, runStepsAsync } from './incrementalDecoder.ts'
import type { TokenizerPool } from './tokenizerPool.ts'
import type { TokenizerProtocol } from './tokenizerWorker.ts'

type Opened = TokenizerProtocol['open']['result']

/**
 * A tokenizer in the pool's worker, opened with its first use. `hasChatTemplate` is the manifest's word where `opened` is not there yet.
 */
export function openTokenizerLater(
  pool: TokenizerPool,
  files: ReadonlyMap<string, Uint8Array>,
  hasChatTemplate: boolean,
  opened?: { key: number; result: Opened },
): OpenTokenizer {
  const key = opened?.key ?? pool.newKey()
  let loading: Promise<Opened> | null = opened === undefined ? null : Promise.resolve(opened.result)
  const load = () => {
    loading ??= pool.open(key, files).catch((error: unknown) => {
      loading = null
      throw error
    })
    return loading
  }
  const decode = (tokenIds: number[], clean: boolean) => pool.call('decode', { key, tokenIds, clean }, files)
  return {
    hasChatTemplate,
    encodeChat: (messages, date) => pool.call('encodeChat', { key, messages, date }, files),
    encodeText: (text) => pool.call('encodeText', { key, text }, files),
    decode: (tokenIds) => decode(tokenIds, true),
    createDecoder: () => {
      const decoder = load().then(({ traits }) => new IncrementalDecoder(traits))
      decoder.catch(() => undefined)
      return {
        push: async (tokenIds) => runStepsAsync((await decoder).push(tokenIds), decode),
        flush: async () => runStepsAsync((await decoder).flush(), decode),
      }
    },
    dispose: () => pool.close(key),
  }
}
