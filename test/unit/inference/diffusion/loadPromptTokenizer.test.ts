import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadPromptTokenizer } from '../../../../src/inference/diffusion/loadPromptTokenizer.ts'
import type { ModelFolder } from '../../../../src/inference/modelFolder.ts'
import { merges, vocabulary } from '../../../support/diffusersModel.ts'
import { writeModelFiles } from '../../../support/onnx.ts'

let folder: ModelFolder
beforeEach(() => {
  folder = { model: 'a/b', path: mkdtempSync(join(tmpdir(), 'cuckoo-tokenizer-')), refuseHardLinks: true }
})
afterEach(() => rmSync(folder.path, { recursive: true, force: true }))

const clip = { 'tokenizer/vocab.json': vocabulary, 'tokenizer/merges.txt': ['#version: 0.2', ...merges, ''].join('\n') }
const idsOf = (...tokens: string[]) => tokens.map((token) => vocabulary[token])
const [start, end] = ['<|startoftext|>', '<|endoftext|>']
const load = (files: Record<string, object | string>, length = 8) => {
  writeModelFiles(folder.path, files)
  return loadPromptTokenizer(folder, length)
}

describe('CLIP from vocabulary and merges', () => {
  it('merges letters by rank, marks ends of words, and pads with the end token', async () => {
    const encode = await load(clip)
    expect(encode('Red  green\n')).toEqual(idsOf(start, 'red</w>', 'green</w>', end, end, end, end, end))
    // "gre" is merged from "g re" before "e</w>" can join; "reds" keeps "re" and two letters
    expect(encode('greed reds')).toEqual(idsOf(start, 'gree', 'd</w>', 're', 'd', 's</w>', end, end))
    // an apostrophe's s is a word of its own, but the apostrophe is in no vocabulary: the unknown token is the end token
    expect(encode('a red-blue')).toEqual(idsOf(start, 'a</w>', 'red</w>', end, 'blue</w>', end, end, end))
    expect(encode('')).toEqual(idsOf(start, end, end, end, end, end, end, end))
  })

  it('cuts a long prompt and keeps its end token, as diffusers does', async () => {
    const encode = await load(clip, 4)
    expect(encode('red green blue white')).toEqual(idsOf(start, 'red</w>', 'green</w>', end))
  })

  it('pads with the token that the files name, as a text or as an added token', async () => {
    const plain = await load({ ...clip, 'tokenizer/tokenizer_config.json': { pad_token: 'a</w>' } }, 4)
    expect(plain('red')).toEqual(idsOf(start, 'red</w>', end, 'a</w>'))
    const added = await load({ ...clip, 'tokenizer/tokenizer_config.json': {}, 'tokenizer/special_tokens_map.json': { pad_token: { content: 'b</w>' } } }, 4)
    expect(added('red')).toEqual(idsOf(start, 'red</w>', end, 'b</w>'))
  })

  it('refuses files that are no tokenizer', async () => {
    const invalid = expect.objectContaining({ code: 'CUCKOO_TOKENIZER_INVALID' })
    await expect(load({ 'tokenizer/vocab.json': vocabulary })).rejects.toEqual(invalid)
    await expect(load({ ...clip, 'tokenizer/vocab.json': { a: 0 } })).rejects.toEqual(invalid)
    await expect(load({ ...clip, 'tokenizer/tokenizer_config.json': { pad_token: 'nowhere' } })).rejects.toEqual(invalid)
  })
})

describe('tokenizer.json', () => {
  it('is used as it is: here words between [BOS] and [EOS]', async () => {
    const words = ['[PAD]', '[UNK]', '[BOS]', '[EOS]', 'a', 'red', 'circle']
    const special = (content: string) => ({
      id: words.indexOf(content),
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })
    const part = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } })
    const encode = await load(
      {
        'tokenizer/tokenizer_config.json': { pad_token: '[PAD]' },
        'tokenizer/tokenizer.json': {
          version: '1.0',
          added_tokens: words.slice(0, 4).map(special),
          normalizer: { type: 'Lowercase' },
          pre_tokenizer: { type: 'WhitespaceSplit' },
          post_processor: {
            type: 'TemplateProcessing',
            single: [part('[BOS]'), { Sequence: { id: 'A', type_id: 0 } }, part('[EOS]')],
            pair: [],
            special_tokens: { '[BOS]': { id: '[BOS]', ids: [2], tokens: ['[BOS]'] }, '[EOS]': { id: '[EOS]', ids: [3], tokens: ['[EOS]'] } },
          },
          decoder: null,
          model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((word, id) => [word, id])), unk_token: '[UNK]' },
        },
      },
      6,
    )
    expect(encode('A red circle')).toEqual([2, 4, 5, 6, 3, 0])
    expect(encode('a a a a a a a')).toEqual([2, 4, 4, 4, 4, 3])
    expect(encode('')).toEqual([2, 3, 0, 0, 0, 0])
  })
})
