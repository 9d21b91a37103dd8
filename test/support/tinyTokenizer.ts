/** Tokenizer files of tiny models: words by whole words and pieces, as tokenizer.json and tokenizer_config.json. */

export const specialWords = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'] as const

type Files = Record<string, object>

/**
 * A lower-casing WordPiece tokenizer as BERT's: ids 0 to 3 are {@link specialWords}, then `words` (pieces start with ##). Texts become
 * `[CLS] text [SEP]`, pairs `[CLS] text [SEP] pair [SEP]`; of `encoderDecoder` tokenizers `text [SEP]`, whose [SEP] ends a text, and
 * where `languages` (words too) are named, the first of them stands before the text until another is chosen.
 */
export function toWordTokenizer(words: readonly string[], options: { encoderDecoder?: boolean; tokenizerClass?: string; languages?: string[] } = {}): Files {
  const vocabulary = Object.fromEntries([...specialWords, ...words].map((word, id) => [word, id]))
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
  const sequence = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } })
  const { languages = [] } = options
  const start = options.encoderDecoder ? languages.slice(0, 1).map(special) : [special('[CLS]')]
  const specials = [...specialWords, ...languages].map((word) => [word, vocabulary[word] as number] as const)
  return {
    'tokenizer.json': {
      version: '1.0',
      added_tokens: specials.map(([content, id]) => ({ id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false })),
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [...start, sequence('A'), special('[SEP]')],
        pair: [...start, sequence('A'), special('[SEP]'), sequence('B'), special('[SEP]')],
        special_tokens: Object.fromEntries(specials.map(([word, id]) => [word, { id: word, ids: [id], tokens: [word] }])),
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: vocabulary },
    },
    'tokenizer_config.json': {
      tokenizer_class: options.tokenizerClass ?? 'BertTokenizer',
      model_max_length: 32,
      pad_token: '[PAD]',
      unk_token: '[UNK]',
      cls_token: '[CLS]',
      sep_token: '[SEP]',
      eos_token: '[SEP]',
    },
  }
}

/** Id of a word of {@link toWordTokenizer}. */
export function toWordId(words: readonly string[], word: string): number {
  return specialWords.length + words.indexOf(word)
}
