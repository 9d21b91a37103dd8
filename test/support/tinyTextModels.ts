/** Tiny models that take text: each function says what its model answers. */
import { createGraph } from './onnx.ts'
import { type Files, tokenInputs, toLabels, toPositionDecoder, toTable } from './tinyGraphs.ts'
import { specialWords, toWordId, toWordTokenizer } from './tinyTokenizer.ts'

/** The mean over all tokens, [CLS] and [SEP] too, of 9 per `good` for `positive` and 9 per `bad` for `negative`: `good` gives logits 0 and 3. */
export function toTinyTextClassifier(): Files {
  const words = ['good', 'bad', 'the', 'film', 'is']
  return {
    'config.json': { architectures: ['BertForSequenceClassification'], model_type: 'bert', max_position_embeddings: 32, ...toLabels(['negative', 'positive']) },
    ...toWordTokenizer(words),
    'onnx/model.onnx': createGraph({
      inputs: tokenInputs,
      outputs: { logits: ['float', ['batch', 2]] },
      tensors: {
        table: toTable(specialWords.length + words.length, 2, [
          [toWordId(words, 'good'), 1, 9],
          [toWordId(words, 'bad'), 0, 9],
        ]),
      },
      nodes: [
        ['Gather', ['table', 'input_ids'], ['rows']],
        ['ReduceMean', ['rows'], ['logits'], { axes: [1], keepdims: 0 }],
      ],
    }),
  }
}

/**
 * Entailment is the sum of squares of how often each of `cats`, `ships` and `stars` is said in text and hypothesis together, contradiction
 * is 3: a text with `cats` gives 4 for the label cats and 2 for the label ships.
 */
export function toTinyZeroShot(): Files {
  const words = ['this', 'example', 'is', '.', 'cats', 'ships', 'stars', 'purr']
  const topics = ['cats', 'ships', 'stars']
  const size = specialWords.length + words.length
  return {
    'config.json': {
      architectures: ['BertForSequenceClassification'],
      model_type: 'bert',
      max_position_embeddings: 32,
      ...toLabels(['contradiction', 'neutral', 'entailment']),
    },
    ...toWordTokenizer(words),
    'onnx/model.onnx': createGraph({
      inputs: tokenInputs,
      outputs: { logits: ['float', ['batch', 3]] },
      tensors: {
        table: toTable(
          size,
          topics.length,
          topics.map((topic, index) => [toWordId(words, topic), index, 1] as const),
        ),
        toEntailment: toTable(
          topics.length,
          3,
          topics.map((_, index) => [index, 2, 1] as const),
        ),
        contradiction: toTable(1, 3, [[0, 0, 3]]),
        overTokens: { dimensions: [1], int64s: [1] },
      },
      nodes: [
        ['Gather', ['table', 'input_ids'], ['rows']],
        ['ReduceSum', ['rows', 'overTokens'], ['counts'], { keepdims: 0 }],
        ['Mul', ['counts', 'counts'], ['squares']],
        ['MatMul', ['squares', 'toEntailment'], ['entailment']],
        ['Add', ['entailment', 'contradiction'], ['logits']],
      ],
    }),
  }
}

/** `ada` begins a person and `lovelace` goes on with it, `ber` (with `##lin` behind it) begins a place; each with logit 5 against 0. */
export function toTinyTokenClassifier(): Files {
  const words = ['ada', 'lovelace', 'ber', '##lin', 'lives', 'in', '.']
  const labels = ['O', 'B-PER', 'I-PER', 'B-LOC']
  const begins: Record<string, string> = { ada: 'B-PER', lovelace: 'I-PER', ber: 'B-LOC', lives: 'O', in: 'O', '.': 'O', '##lin': 'O' }
  return {
    'config.json': { architectures: ['BertForTokenClassification'], model_type: 'bert', max_position_embeddings: 32, ...toLabels(labels) },
    ...toWordTokenizer(words),
    'onnx/model.onnx': createGraph({
      inputs: tokenInputs,
      outputs: { logits: ['float', ['batch', 'n', labels.length]] },
      tensors: {
        table: toTable(
          specialWords.length + words.length,
          labels.length,
          Object.entries(begins).map(([word, label]) => [toWordId(words, word), labels.indexOf(label), 5] as const),
        ),
      },
      nodes: [['Gather', ['table', 'input_ids'], ['logits']]],
    }),
  }
}

/** An encoder whose row of a token says which token to write for it. */
function toDictionaryEncoder(words: readonly string[], dictionary: Record<string, string>): Buffer {
  const size = specialWords.length + words.length
  const toId = (word: string) =>
    (specialWords as readonly string[]).includes(word) ? (specialWords as readonly string[]).indexOf(word) : toWordId(words, word)
  return createGraph({
    inputs: tokenInputs,
    outputs: { last_hidden_state: ['float', ['batch', 'n', size]] },
    tensors: {
      table: toTable(
        size,
        size,
        Object.entries({ '[SEP]': '[SEP]', ...dictionary }).map(([from, to]) => [toId(from), toId(to), 10] as const),
      ),
    },
    nodes: [['Gather', ['table', 'input_ids'], ['last_hidden_state']]],
  })
}

const seq2SeqConfig = {
  is_encoder_decoder: true,
  d_model: 1,
  encoder_layers: 1,
  decoder_layers: 1,
  encoder_attention_heads: 1,
  decoder_attention_heads: 1,
  max_position_embeddings: 32,
  decoder_start_token_id: 0,
  pad_token_id: 0,
  bos_token_id: 2,
  eos_token_id: 3,
}

/** What a T5-like model calls its direction, by the prefix of the text. */
const t5Tasks = { translation_de_to_en: { prefix: 'nach englisch : ' }, summarization: { prefix: 'kurz : ' } }

/**
 * Word by word: `guten` is `good`, `tag` is `day`, `welt` is `world`. Its generation_config.json wants four beams, which nobody gets.
 * `marian` knows one direction, `t5` its directions by `task_specific_params` (it writes nothing for the words of the prefix), `nllb`
 * languages by their codes, `deu_Latn` and `eng_Latn`.
 */
export function toTinyTranslator(family: 'marian' | 't5' | 'nllb' = 'marian'): Files {
  const languages = ['deu_Latn', 'eng_Latn']
  const words = ['guten', 'tag', 'welt', 'good', 'day', 'world', 'nach', 'englisch', ':', ...languages]
  const silent = Object.fromEntries(['nach', 'englisch', ':', ...languages].map((word) => [word, '[PAD]']))
  const t5 = { num_layers: 1, num_decoder_layers: 1, num_heads: 1, d_kv: 1 }
  const config = {
    marian: { architectures: ['MarianMTModel'], model_type: 'marian' },
    t5: { architectures: ['T5ForConditionalGeneration'], model_type: 't5', task_specific_params: t5Tasks, ...t5 },
    nllb: { architectures: ['M2M100ForConditionalGeneration'], model_type: 'm2m_100' },
  }[family]
  const tokenizerClass = { marian: 'MarianTokenizer', t5: 'T5Tokenizer', nllb: 'NllbTokenizer' }[family]
  return {
    'config.json': { ...seq2SeqConfig, ...config },
    'generation_config.json': { decoder_start_token_id: 0, eos_token_id: 3, pad_token_id: 0, num_beams: 4, do_sample: true },
    ...toWordTokenizer(words, { encoderDecoder: true, tokenizerClass, ...(family === 'nllb' && { languages }) }),
    'onnx/encoder_model.onnx': toDictionaryEncoder(words, { guten: 'good', tag: 'day', welt: 'world', ...silent }),
    'onnx/decoder_model_merged.onnx': toPositionDecoder(specialWords.length + words.length, '0.decoder.key'),
  }
}

/** The first sentence: each word is itself, and a full stop ends the text. */
export function toTinySummarizer(): Files {
  const words = ['cats', 'purr', 'dogs', 'bark', '.']
  const same = Object.fromEntries(words.map((word) => [word, word]))
  return {
    'config.json': {
      architectures: ['BartForConditionalGeneration'],
      model_type: 'bart',
      task_specific_params: { summarization: { num_beams: 4 } },
      ...seq2SeqConfig,
    },
    ...toWordTokenizer(words, { encoderDecoder: true }),
    'onnx/encoder_model.onnx': toDictionaryEncoder(words, { ...same, '.': '[SEP]' }),
    'onnx/decoder_model_merged.onnx': toPositionDecoder(specialWords.length + words.length, '0.decoder.key'),
  }
}

/** `a` is 100 samples of 0.5, `b` 100 of -0.25, at 16 kHz. */
export function toTinySpeech(): Files {
  const letters = ['a', 'b']
  const samples = 100
  const rows = Array.from({ length: 1 + letters.length }, (_, row) => new Array<number>(samples).fill([0, 0.5, -0.25][row] as number))
  return {
    'config.json': { architectures: ['VitsModel'], model_type: 'vits', sampling_rate: 16_000 },
    'tokenizer.json': {
      version: '1.0',
      added_tokens: [{ id: 0, content: '_', special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }],
      normalizer: { type: 'Lowercase' },
      pre_tokenizer: { type: 'Split', pattern: { Regex: '' }, behavior: 'Isolated', invert: false },
      post_processor: null,
      decoder: null,
      model: { type: 'WordPiece', unk_token: '_', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: { _: 0, a: 1, b: 2 } },
    },
    'tokenizer_config.json': { tokenizer_class: 'VitsTokenizer', pad_token: '_', unk_token: '_' },
    'onnx/model.onnx': createGraph({
      inputs: tokenInputs,
      outputs: { waveform: ['float', ['batch', 'samples']] },
      tensors: { table: { dimensions: [rows.length, samples], floats: rows.flat() }, flat: { dimensions: [2], int64s: [0, -1] } },
      nodes: [
        ['Gather', ['table', 'input_ids'], ['parts']],
        ['Reshape', ['parts', 'flat'], ['waveform']],
      ],
    }),
  }
}
