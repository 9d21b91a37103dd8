import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IncrementalDecoder, runSteps } from '../../../src/inference/incrementalDecoder.ts'
import { type LoadedTokenizer, loadTokenizer } from '../../../src/inference/loadTokenizer.ts'

const toFiles = (tokenizer: object, config: object) =>
  new Map([
    ['tokenizer.json', Buffer.from(JSON.stringify(tokenizer))],
    ['tokenizer_config.json', Buffer.from(JSON.stringify(config))],
  ])

/** GPT-2's printable stand-in for each byte (bytes_to_unicode in openai/gpt-2 encoder.py). */
const byteCharacters = (() => {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++))
})()
const toByteToken = (text: string) => [...Buffer.from(text)].map((byte) => byteCharacters[byte]).join('')

const added = (id: number, content: string, special: boolean) => ({ id, content, special, single_word: false, lstrip: false, rstrip: false, normalized: false })
const words = [' the', 'the', ' a', 'é', ' 你好', '🎉', '.', ' .', ' ,', " n't", " 's", " '", 'n', "'t", 's', '  ', '\n', '\uFEFF', '\uFFFD']

/** Byte-level BPE as GPT-2, Llama 3 and Qwen have it: 256 bytes, some words, special and ordinary added tokens. */
function createByteLevel(cleansSpaces: boolean): LoadedTokenizer {
  const tokens = [...byteCharacters, ...words.map(toByteToken)]
  const vocab = Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]))
  const size = Object.keys(vocab).length
  return loadTokenizer(
    toFiles(
      {
        added_tokens: [added(size, '<|end|>', true), added(size + 1, '<think>', false)],
        normalizer: null,
        pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
        post_processor: null,
        decoder: { type: 'ByteLevel' },
        model: { type: 'BPE', vocab, merges: [] },
      },
      { clean_up_tokenization_spaces: cleansSpaces },
    ),
  )
}

/** SentencePiece-like BPE as Llama 2 and Mistral have it: ▁ for spaces, byte fallback, the leading space stripped. */
function createSentencePiece(cleansSpaces: boolean): LoadedTokenizer {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const tokens = [...new Set(['<unk>', '<s>', '</s>', ...bytes, '▁', '▁▁', ...words.map((word) => word.replaceAll(' ', '▁'))])]
  return loadTokenizer(
    toFiles(
      {
        added_tokens: [added(0, '<unk>', true), added(1, '<s>', true), added(2, '</s>', true)],
        normalizer: {
          type: 'Sequence',
          normalizers: [
            { type: 'Prepend', prepend: '▁' },
            { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
          ],
        },
        pre_tokenizer: null,
        post_processor: null,
        decoder: {
          type: 'Sequence',
          decoders: [
            { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
            { type: 'ByteFallback' },
            { type: 'Fuse' },
            { type: 'Strip', content: ' ', start: 1, stop: 0 },
          ],
        },
        model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [], byte_fallback: true, unk_token: '<unk>' },
      },
      { clean_up_tokenization_spaces: cleansSpaces, unk_token: '<unk>' },
    ),
  )
}

function countTokens(tokenizer: LoadedTokenizer): number {
  let count = 0
  for (;;) {
    try {
      tokenizer.decode([count])
      count++
    } catch {
      return count
    }
  }
}

const tokenizers = {
  'byte-level BPE': createByteLevel(false),
  'byte-level BPE that cleans spaces': createByteLevel(true),
  'SentencePiece with byte fallback': createSentencePiece(false),
  'SentencePiece that cleans spaces': createSentencePiece(true),
}

describe.each(Object.entries(tokenizers))('%s', (_, tokenizer) => {
  const size = countTokens(tokenizer)
  const idsOf = (texts: readonly string[]) =>
    Array.from({ length: size }, (_, id) => id).filter((id) => texts.includes(tokenizer.decode([1, id], false).slice(tokenizer.decode([1], false).length)))
  const token = fc.oneof(
    fc.integer({ min: 0, max: size - 1 }),
    fc.integer({ min: Math.max(0, size - 25), max: size - 1 }),
    fc.constantFrom(...idsOf([...' .,!?', " '", ' n', ..."ntsmver'"])),
    fc.constantFrom(...tokenizer.traits.specialIds, ...idsOf([' ', '  '])),
  )

  it('gives pieces that join to the text of all tokens, whatever the tokens and the steps', () => {
    fc.assert(
      fc.property(fc.array(fc.array(token, { maxLength: 3, size: 'max' }), { maxLength: 120, size: 'max' }), (steps) => {
        const decoder = new IncrementalDecoder(tokenizer.traits)
        const pieces = steps.map((ids) => runSteps(decoder.push(ids), tokenizer.decode))
        const whole = tokenizer.decode(steps.flat())
        expect(runSteps(decoder.peek(), tokenizer.decode)).toBe(whole)
        pieces.push(runSteps(decoder.flush(), tokenizer.decode))
        expect(pieces.join('')).toBe(whole)
      }),
      { numRuns: 300 },
    )
  })

  it('emits whole characters only, and soon', () => {
    const text = 'a é 你好 🎉👩‍👩‍👧 end'
    const ids = [...tokenizer.encodeText(text), ...tokenizer.encodeText(' the')]
    const decoder = new IncrementalDecoder(tokenizer.traits)
    const pieces = ids.map((id) => runSteps(decoder.push([id]), tokenizer.decode))
    for (const piece of pieces) expect(piece).not.toMatch(/\uFFFD|[\uD800-\uDBFF]$|^[\uDC00-\uDFFF]/)
    expect(pieces.join('')).toContain('a é 你好 🎉👩‍👩‍👧')
  })
})

it('decodes each token once or twice, not the whole text again', () => {
  const tokenizer = tokenizers['byte-level BPE']
  const decoder = new IncrementalDecoder(tokenizer.traits)
  let decoded = 0
  for (let index = 0; index < 2_000; index++)
    runSteps(decoder.push([65 + (index % 20)]), (ids, clean) => {
      decoded += ids.length
      return tokenizer.decode(ids, clean)
    })
  expect(decoded / 2_000).toBeLessThan(60)
})
