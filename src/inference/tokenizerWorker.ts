/** The worker that runs tokenizers. It never imports transformers.js: that would load the ONNX runtime. */
import type { ChatMessage } from '../domain/enginePort.ts'
import { tokenizerInvalid } from '../errors/inference.ts'
import { type LoadedTokenizer, loadTokenizer, type TokenizerTraits } from './loadTokenizer.ts'
import { serveWorker } from './serveWorker.ts'

export type TokenizerProtocol = {
  ready: { args: null; result: null }
  open: { args: { key: number; files: ReadonlyMap<string, Uint8Array> }; result: { hasChatTemplate: boolean; traits: TokenizerTraits } }
  close: { args: { key: number }; result: null }
  encodeText: { args: { key: number; text: string }; result: number[] }
  encodeChat: { args: { key: number; messages: ChatMessage[]; date: string }; result: number[] }
  decode: { args: { key: number; tokenIds: number[]; clean: boolean }; result: string }
}

const tokenizers = new Map<number, LoadedTokenizer>()

function getTokenizer(key: number): LoadedTokenizer {
  const tokenizer = tokenizers.get(key)
  if (tokenizer === undefined) throw tokenizerInvalid({ problem: 'it is not open' })
  return tokenizer
}

serveWorker<TokenizerProtocol>({
  ready: () => null,
  open: ({ key, files }) => {
    const tokenizer = loadTokenizer(files)
    tokenizers.set(key, tokenizer)
    return { hasChatTemplate: tokenizer.hasChatTemplate, traits: tokenizer.traits }
  },
  close: ({ key }) => {
    tokenizers.delete(key)
    return null
  },
  encodeText: ({ key, text }) => getTokenizer(key).encodeText(text),
  encodeChat: ({ key, messages, date }) => getTokenizer(key).encodeChat(messages, date),
  decode: ({ key, tokenIds, clean }) => getTokenizer(key).decode(tokenIds, clean),
})
