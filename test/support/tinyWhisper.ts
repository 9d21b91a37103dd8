/**
 * A real whisper of one second: it hears whether the first half is a low or a high tone and whether the second is, and says `low` or
 * `high`, then `down` or `up`. Told or finding out that the language is German (a low first half) it says `tief` for `low`; asked to
 * translate, `deep`. Timestamps are 0.00 and 1.00; the cross attention of the first word lies on the first half, of the second on the second.
 */
import { createGraph } from './onnx.ts'

const words = ['Ġlow', 'Ġhigh', 'Ġdown', 'Ġup', 'Ġtief', 'Ġdeep'] as const
const specials = ['<|endoftext|>', '<|startoftranscript|>', '<|en|>', '<|de|>', '<|translate|>', '<|transcribe|>', '<|notimestamps|>'] as const
/** Encoder positions in a second, of 0.02 s. */
const positions = 50
const timestamps = Array.from({ length: positions + 1 }, (_, index) => `<|${(index / 50).toFixed(2)}|>`)
const vocabulary = [...words, ...specials, ...timestamps]
const size = vocabulary.length
const toId = (token: string) => vocabulary.indexOf(token)
/** of 16 mel bands the lower half and the upper */
const bands = 16

type Cell = readonly [row: string | number, column: string, value: number]

/** rows × vocabulary, `rest` but for the cells. */
function toRows(rows: number, cells: readonly Cell[], rest = 0) {
  const floats = new Float32Array(rows * size).fill(rest)
  for (const [row, column, value] of cells) floats[(typeof row === 'string' ? toId(row) : row) * size + toId(column)] = value
  return { dimensions: [rows, size], floats }
}

/** What may follow each token; content and flags below decide between those of one row. */
const next = toRows(
  size,
  [
    ...['<|en|>', '<|de|>'].map((language): Cell => ['<|startoftranscript|>', language, 20]),
    ...['<|notimestamps|>', '<|0.00|>'].flatMap((start): Cell[] => [
      [start, 'Ġlow', 20],
      [start, 'Ġhigh', 20],
      [start, 'Ġtief', -20],
      [start, 'Ġdeep', -20],
    ]),
    ...['<|transcribe|>', '<|translate|>'].map((task): Cell => [task, '<|0.00|>', 20]),
    ...['Ġlow', 'Ġhigh', 'Ġtief', 'Ġdeep'].flatMap((first): Cell[] => [
      [first, 'Ġdown', 20],
      [first, 'Ġup', 20],
    ]),
    ...['Ġdown', 'Ġup'].flatMap((second): Cell[] => [
      [second, '<|1.00|>', 20],
      [second, '<|endoftext|>', 15],
    ]),
    ['<|1.00|>', '<|endoftext|>', 20],
  ],
  -70,
)
/** Flags that the cache keeps of the tokens seen: no timestamps wanted, translation, German. */
const flagOf = toRows(3, [
  [0, '<|notimestamps|>', 1],
  [1, '<|translate|>', 1],
  [2, '<|de|>', 1],
])
const byFlag = toRows(3, [
  [0, '<|endoftext|>', 10],
  [1, 'Ġdeep', 42],
  [2, 'Ġtief', 41],
])

/** float32[rows, columns] of a [columns, rows] one. */
function transpose({ dimensions: [rows = 0, columns = 0], floats }: { dimensions: number[]; floats: Float32Array }) {
  const turned = Array.from({ length: columns * rows }, (_, index) => floats[(index % rows) * columns + Math.floor(index / rows)] as number)
  return { dimensions: [columns, rows], floats: turned }
}

/** By mel band, how much a half of the audio speaks for each token: bands of the lower half for the low words. */
function toContent(low: string[], high: string[]) {
  const cells = Array.from({ length: bands }, (_, band) => band).flatMap((band): Cell[] => {
    const sign = band < bands / 2 ? 1 : -1
    return [...low.map((word): Cell => [band, word, sign]), ...high.map((word): Cell => [band, word, -sign])]
  })
  return toRows(bands, cells)
}

/** Tokens × positions: where a token listens when it is the decoder's input. `stray`: the first word listens to the last 0.4 s even more. */
function toAttention(stray: boolean) {
  const floats = new Float32Array(size * positions)
  const listen = (tokens: readonly string[], from: number, to: number, weight = 1) => {
    for (const token of tokens) floats.fill(weight, toId(token) * positions + from, toId(token) * positions + to)
  }
  listen(['Ġlow', 'Ġhigh', 'Ġtief', 'Ġdeep'], 0, positions / 2)
  listen(['Ġdown', 'Ġup'], positions / 2, positions)
  if (stray) listen(['Ġlow', 'Ġhigh'], 30, positions, 9)
  return { dimensions: [size, positions], floats }
}

function toEncoder(): Buffer {
  return createGraph({
    inputs: { input_features: ['float', ['batch', bands, 2 * positions]] },
    outputs: { last_hidden_state: ['float', ['batch', positions, bands]] },
    tensors: { every: { dimensions: [positions], int64s: Array.from({ length: positions }, (_, index) => 2 * index) } },
    nodes: [
      ['Gather', ['input_features', 'every'], ['half'], { axis: 2 }],
      ['Transpose', ['half'], ['last_hidden_state'], { perm: [0, 2, 1] }],
    ],
  })
}

function toDecoder(stray: boolean): Buffer {
  const half = (from: number) => ({ dimensions: [positions / 2], int64s: Array.from({ length: positions / 2 }, (_, index) => from + index) })
  return createGraph({
    inputs: {
      input_ids: ['int64', ['batch', 't']],
      encoder_hidden_states: ['float', ['batch', positions, bands]],
      'past_key_values.0.decoder.key': ['float', ['batch', 1, 'past', 3]],
      use_cache_branch: ['bool', [1]],
    },
    outputs: {
      logits: ['float', ['batch', 't', size]],
      'present.0.decoder.key': ['float', ['batch', 1, 'total', 3]],
      'cross_attentions.0': ['float', ['batch', 1, 't', positions]],
    },
    tensors: {
      next,
      flagOf: transpose(flagOf),
      byFlag,
      attention: toAttention(stray),
      first: toContent(['Ġlow', 'Ġtief', 'Ġdeep', '<|de|>'], ['Ġhigh', '<|en|>']),
      second: toContent(['Ġdown'], ['Ġup']),
      firstHalf: half(0),
      secondHalf: half(positions / 2),
      headAxis: { dimensions: [1], int64s: [1] },
    },
    nodes: [
      ['Gather', ['next', 'input_ids'], ['following']],
      // Flags of the new tokens join those of the cache; a flag once set stays.
      ['Gather', ['flagOf', 'input_ids'], ['newFlags']],
      ['Unsqueeze', ['newFlags', 'headAxis'], ['newKeys']],
      ['Concat', ['past_key_values.0.decoder.key', 'newKeys'], ['present.0.decoder.key'], { axis: 2 }],
      ['ReduceMax', ['present.0.decoder.key'], ['flags'], { axes: [2], keepdims: 0 }],
      ['MatMul', ['flags', 'byFlag'], ['flagged']],
      // What the two halves speak for.
      ...(['first', 'second'] as const).flatMap((name): Parameters<typeof createGraph>[0]['nodes'] => [
        ['Gather', ['encoder_hidden_states', `${name}Half`], [`${name}Frames`], { axis: 1 }],
        ['ReduceMean', [`${name}Frames`], [`${name}Mean`], { axes: [1], keepdims: 1 }],
        ['MatMul', [`${name}Mean`, name], [`${name}Content`]],
      ]),
      ['Add', ['following', 'flagged'], ['withFlags']],
      ['Add', ['withFlags', 'firstContent'], ['withFirst']],
      ['Add', ['withFirst', 'secondContent'], ['logits']],
      ['Gather', ['attention', 'input_ids'], ['listening']],
      ['Unsqueeze', ['listening', 'headAxis'], ['cross_attentions.0']],
    ],
  })
}

function toTokenizer(): Record<string, object> {
  const toAdded = (content: string, special: boolean) => ({
    id: toId(content),
    content,
    special,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  })
  return {
    'tokenizer.json': {
      version: '1.0',
      added_tokens: [...specials.map((token) => toAdded(token, true)), ...timestamps.map((token) => toAdded(token, false))],
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      post_processor: null,
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: { type: 'BPE', vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])), merges: [], unk_token: '<|endoftext|>' },
    },
    'tokenizer_config.json': { tokenizer_class: 'WhisperTokenizer', eos_token: '<|endoftext|>', pad_token: '<|endoftext|>' },
  }
}

/** Files of the tiny whisper; `multilingual` false: it knows English only; `wordTimestamps` false: no alignment heads are named; `strayAttention`: words listen to the silence behind 0.6 s. */
export function toTinyWhisper({ multilingual = true, wordTimestamps = true, strayAttention = false } = {}): Record<string, Buffer | object> {
  return {
    'config.json': {
      architectures: ['WhisperForConditionalGeneration'],
      model_type: 'whisper',
      is_encoder_decoder: true,
      d_model: 1,
      encoder_layers: 1,
      decoder_layers: 1,
      encoder_attention_heads: 1,
      decoder_attention_heads: 1,
      max_source_positions: positions,
      max_target_positions: 16,
      median_filter_width: 3,
      decoder_start_token_id: toId('<|startoftranscript|>'),
      eos_token_id: toId('<|endoftext|>'),
      pad_token_id: toId('<|endoftext|>'),
    },
    'generation_config.json': {
      decoder_start_token_id: toId('<|startoftranscript|>'),
      eos_token_id: toId('<|endoftext|>'),
      pad_token_id: toId('<|endoftext|>'),
      no_timestamps_token_id: toId('<|notimestamps|>'),
      is_multilingual: multilingual,
      max_length: 16,
      ...(multilingual && {
        lang_to_id: { '<|en|>': toId('<|en|>'), '<|de|>': toId('<|de|>') },
        task_to_id: { translate: toId('<|translate|>'), transcribe: toId('<|transcribe|>') },
      }),
      ...(wordTimestamps && { alignment_heads: [[0, 0]] }),
    },
    'preprocessor_config.json': {
      feature_extractor_type: 'WhisperFeatureExtractor',
      processor_class: 'WhisperProcessor',
      chunk_length: 1,
      feature_size: bands,
      hop_length: 160,
      n_fft: 400,
      n_samples: 16_000,
      nb_max_frames: 2 * positions,
      sampling_rate: 16_000,
    },
    ...toTokenizer(),
    'onnx/encoder_model.onnx': toEncoder(),
    'onnx/decoder_model_merged.onnx': toDecoder(strayAttention),
  }
}
