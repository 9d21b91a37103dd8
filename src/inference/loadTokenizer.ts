import { Template } from '@huggingface/jinja'
import { Tokenizer } from '@huggingface/tokenizers'
import type { ChatMessage } from '../domain/enginePort.ts'
import { chatTemplateAbsent, chatTemplateFailed, inferenceInputInvalid, tokenizerInvalid } from '../errors/inference.ts'
import { formatTemplateDate } from './formatTemplateDate.ts'
import { guardTokenizer, type TokenizerGuard } from './tokenizerGuard.ts'

/** A tokenizer in this thread, made from bytes alone. The same packages as transformers.js use, without its ONNX runtime. */
export interface LoadedTokenizer {
  hasChatTemplate: boolean
  traits: TokenizerTraits
  encodeText(text: string): number[]
  encodeChat(messages: ChatMessage[], date: string): number[]
  /** `clean` false leaves out the removal of spaces before punctuation that some tokenizers ask for */
  decode(tokenIds: number[], clean?: boolean): string
}

/** What an incremental decoder must know of a tokenizer. */
export interface TokenizerTraits {
  /** ids that leave no text */
  specialIds: number[]
  /** ids that stand for one byte each (SentencePiece byte fallback) */
  byteIds: number[]
  /** spaces before punctuation are removed from the text */
  cleansSpaces: boolean
}

// PreTrainedTokenizer.apply_chat_template of transformers.js 4.3.1 passes these to templates.
const specialTokenNames = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'] as const

type Json = Record<string, unknown>

/**
 * A tokenizer from the bytes of `tokenizer.json`, `tokenizer_config.json` and `chat_template.jinja` (the last two may be absent).
 * Ids equal those of transformers.js' own tokenizer classes. A `chat_template.jinja` wins over the template in the config, as in
 * Python's transformers. `guard`: see {@link guardTokenizer}.
 * @throws CUCKOO_TOKENIZER_INVALID when the files are not a tokenizer that transformers.js reads
 */
export function loadTokenizer(files: ReadonlyMap<string, Uint8Array>, guard?: TokenizerGuard): LoadedTokenizer {
  const config = parseObject('tokenizer_config.json', files.get('tokenizer_config.json') ?? Buffer.from('{}'))
  const tokenizerBytes = files.get('tokenizer.json')
  if (tokenizerBytes === undefined) throw tokenizerInvalid({ problem: 'tokenizer.json is missing' })
  const json = parseObject('tokenizer.json', tokenizerBytes)
  const tokenizer = createOrRefuse('tokenizer.json', () => guardTokenizer(new Tokenizer(json, config), guard))
  const source = findTemplate(files.get('chat_template.jinja'), config)
  let template: Template | null = null
  const traits = findTraits(tokenizer, config)
  const vocabularySize = traits.vocabularySize
  return {
    hasChatTemplate: source !== null,
    traits,
    encodeText: (text) => tokenizer.encode(text).ids,
    encodeChat: (messages, date) => {
      if (source === null) throw chatTemplateAbsent({})
      template ??= createOrRefuse('the chat template', () => createTemplate(source))
      return tokenizer.encode(renderChat(template, config, messages, date), { add_special_tokens: false }).ids
    },
    decode: (tokenIds, clean = true) => {
      const foreign = tokenIds.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize || tokenizer.id_to_token(id) === undefined)
      if (foreign !== undefined) throw inferenceInputInvalid({ problem: `token id ${foreign} is not in the tokenizer's vocabulary` })
      if (tokenIds.length === 0) return ''
      return tokenizer.decode(tokenIds, { skip_special_tokens: true, ...(clean ? {} : { clean_up_tokenization_spaces: false }) })
    },
  }
}

function createOrRefuse<T>(what: string, create: () => T): T {
  try {
    return create()
  } catch (error) {
    throw tokenizerInvalid({ problem: `${what}: ${error instanceof Error ? error.message : String(error)}` }, { cause: error })
  }
}

function parseObject(file: string, bytes: Uint8Array): Json {
  const value: unknown = createOrRefuse(file, () => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw tokenizerInvalid({ problem: `${file} is not a JSON object` })
  return value as Json
}

/** The chat template's text: `chat_template.jinja`, else the config's one template or its `default` among several. */
function findTemplate(jinja: Uint8Array | undefined, config: Json): string | null {
  if (jinja !== undefined) return Buffer.from(jinja).toString('utf8')
  const value = config.chat_template
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return null
  const named = (value as { name?: unknown; template?: unknown }[]).find((entry) => entry?.name === 'default')
  return typeof named?.template === 'string' ? named.template : null
}

/** The template with its clock replaced. The library refuses to shadow a global in `render`, but a `set` statement may replace it. */
function createTemplate(source: string): Template {
  const template = new Template(source)
  template.parsed.body.unshift(...new Template('{% set strftime_now = strftime_of_date %}').parsed.body)
  return template
}

function renderChat(template: Template, config: Json, messages: ChatMessage[], date: string): string {
  const specialTokens = Object.fromEntries(specialTokenNames.flatMap((name) => findSpecialToken(config[name]).map((token) => [name, token])))
  try {
    return template.render({
      messages,
      add_generation_prompt: true,
      tools: null,
      documents: null,
      ...specialTokens,
      strftime_of_date: (format: string) => formatTemplateDate(date, format),
    })
  } catch (error) {
    throw chatTemplateFailed({ reason: error instanceof Error ? error.message : String(error) }, { cause: error })
  }
}

function findSpecialToken(value: unknown): string[] {
  if (typeof value === 'string' && value !== '') return [value]
  const content = (value as { content?: unknown } | null | undefined)?.content
  return typeof content === 'string' ? [content] : []
}

function findTraits(tokenizer: Tokenizer, config: Json): TokenizerTraits & { vocabularySize: number } {
  const vocabulary = tokenizer.get_vocab()
  const additional = Array.isArray(config.additional_special_tokens) ? (config.additional_special_tokens as unknown[]) : []
  const special = new Set([...tokenizer.get_added_tokens_decoder().values()].filter((token) => token.special).map((token) => token.content))
  for (const token of additional) if (typeof token === 'string') special.add(token)
  const specialIds: number[] = []
  const byteIds: number[] = []
  let vocabularySize = 0
  for (const [token, id] of vocabulary) {
    vocabularySize = Math.max(vocabularySize, id + 1)
    if (special.has(token)) specialIds.push(id)
    else if (/^<0x[0-9A-F]{2}>$/.test(token)) byteIds.push(id)
  }
  return { specialIds, byteIds, cleansSpaces: config.clean_up_tokenization_spaces !== false, vocabularySize }
}
