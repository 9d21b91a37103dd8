import { readFile } from 'node:fs/promises'
import { Tokenizer } from '@huggingface/tokenizers'
import { tokenizerInvalid } from '../../errors/inference.ts'
import { findModelFile, type ModelFolder, readJsonFile } from '../modelFolder.ts'
import { guardTokenizer, type TokenizerGuard } from '../tokenizerGuard.ts'

/** Token ids of a prompt: cut to the model's length, end token kept, and padded to it. */
export type EncodePrompt = (prompt: string) => number[]

type Json = Record<string, unknown>

const clipEndToken = '<|endoftext|>'

/**
 * The prompt encoder of `tokenizer/`: its `tokenizer.json`, or CLIP's vocabulary and merges, which is all that most Stable Diffusion
 * repositories have. `length`: tokens that the text encoder takes. `guard`: see {@link guardTokenizer}.
 * @throws CUCKOO_TOKENIZER_INVALID when the files are no tokenizer
 */
export async function loadPromptTokenizer(folder: ModelFolder, length: number, guard?: TokenizerGuard): Promise<EncodePrompt> {
  const config = (await readJsonFile(folder, 'tokenizer/tokenizer_config.json')) ?? {}
  const special = { ...((await readJsonFile(folder, 'tokenizer/special_tokens_map.json')) ?? {}), ...config }
  const json = (await readJsonFile(folder, 'tokenizer/tokenizer.json')) ?? (await readClipTokenizer(folder, special))
  const tokenizer = guardTokenizer(createTokenizer(json, config), guard)
  const pad = findToken(special.pad_token) ?? findToken(special.eos_token) ?? clipEndToken
  const padId = tokenizer.token_to_id(pad)
  if (padId === undefined) throw tokenizerInvalid({ problem: `its padding token ${pad} is not in the vocabulary` })
  return (prompt) => {
    const bare = tokenizer.encode(prompt, { add_special_tokens: false }).ids
    const { before, after } = splitAround(tokenizer.encode(prompt).ids, bare)
    const ids = [...before, ...bare.slice(0, Math.max(0, length - before.length - after.length)), ...after]
    return [...ids, ...new Array<number>(Math.max(0, length - ids.length)).fill(padId)].slice(0, length)
  }
}

/** What a post-processor put before and after the prompt's own ids. */
function splitAround(whole: number[], bare: number[]): { before: number[]; after: number[] } {
  const added = whole.length - bare.length
  const offsets = Array.from({ length: added + 1 }, (_, offset) => offset)
  // An empty prompt fits anywhere: its start token is the first half, as in CLIP's pair of start and end.
  const start = bare.length === 0 ? Math.floor(added / 2) : (offsets.find((offset) => bare.every((id, index) => whole[offset + index] === id)) ?? 0)
  return { before: whole.slice(0, start), after: whole.slice(start + bare.length) }
}

function createTokenizer(json: Json, config: Json): Tokenizer {
  try {
    return new Tokenizer(json, config)
  } catch (error) {
    throw tokenizerInvalid({ problem: `tokenizer/: ${error instanceof Error ? error.message : String(error)}` }, { cause: error })
  }
}

/** A special token's text: itself, or the `content` of an added token. */
function findToken(value: unknown): string | undefined {
  const content = typeof value === 'object' && value !== null ? (value as { content?: unknown }).content : value
  return typeof content === 'string' && content !== '' ? content : undefined
}

async function readClipTokenizer(folder: ModelFolder, special: Json): Promise<Json> {
  const vocabulary = await readJsonFile(folder, 'tokenizer/vocab.json')
  const mergesPath = await findModelFile(folder, 'tokenizer/merges.txt')
  if (vocabulary === undefined || mergesPath === null)
    throw tokenizerInvalid({ problem: 'tokenizer/ holds neither tokenizer.json nor vocab.json and merges.txt' })
  const merges = (await readFile(mergesPath, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#version'))
  return toClipTokenizer(vocabulary, merges, {
    start: findToken(special.bos_token) ?? '<|startoftext|>',
    end: findToken(special.eos_token) ?? clipEndToken,
    unknown: findToken(special.unk_token) ?? clipEndToken,
  })
}

/**
 * CLIP's tokenizer as tokenizer.json: lower case, words split as in OpenAI's `simple_tokenizer.py`, byte-level BPE with `</w>` at
 * the ends of words, between start and end token. The parts are those of `CLIPConverter` in Python's transformers 4.57.
 */
function toClipTokenizer(vocabulary: Json, merges: string[], tokens: { start: string; end: string; unknown: string }): Json {
  const idOf = (token: string) => {
    const id = vocabulary[token]
    if (!Number.isInteger(id)) throw tokenizerInvalid({ problem: `tokenizer/vocab.json lacks ${token}` })
    return id as number
  }
  const specialTokens = [...new Set([tokens.start, tokens.end])]
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content) => ({
      id: idOf(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' }, { type: 'Lowercase' }],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
          behavior: 'Removed',
          invert: true,
        },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [tokens.end, idOf(tokens.end)],
      cls: [tokens.start, idOf(tokens.start)],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: tokens.unknown,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      byte_fallback: false,
      vocab: vocabulary,
      merges,
    },
  }
}
