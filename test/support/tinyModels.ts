/**
 * Real models of a few hundred bytes, one per pipeline kind, in the layout transformers.js loads: config, tokenizer, ONNX graphs with
 * the inputs and outputs of the real architectures. Their weights are chosen so that the right answer can be worked out by hand;
 * each function below says what its model answers.
 */
import { join } from 'node:path'
import type { PipelineKind } from '../../src/domain/taskKinds.ts'
import { createGraph, type GraphParts, writeModelFiles } from './onnx.ts'
import { specialWords, toWordId, toWordTokenizer } from './tinyTokenizer.ts'
import { toTinyWhisper } from './tinyWhisper.ts'

type Files = Record<string, Buffer | string | object>
type Tensors = NonNullable<GraphParts['tensors']>

/** Writes the tiny model of a kind as `<directory>/tiny/<kind>` (a few ms); its name, `tiny/<kind>`, fp32, source `folder`. */
export async function writeTinyModel(directory: string, kind: PipelineKind): Promise<string> {
  const model = `tiny/${kind}`
  writeModelFiles(join(directory, model), tinyModels[kind]())
  return model
}

const tinyModels: { readonly [K in PipelineKind]: () => Files } = {
  transcription: () => toTinyWhisper(),
  speech: toTinySpeech,
  translation: () => toTinyTranslator(),
  summarization: toTinySummarizer,
  'text-classification': toTinyTextClassifier,
  'zero-shot-classification': toTinyZeroShot,
  'token-classification': toTinyTokenClassifier,
  'image-classification': toTinyImageClassifier,
  'object-detection': toTinyDetector,
  captioning: toTinyCaptioner,
  'depth-estimation': toTinyDepth,
  'image-to-image': toTinyUpscaler,
}

const tokenInputs: GraphParts['inputs'] = { input_ids: ['int64', ['batch', 'n']], attention_mask: ['int64', ['batch', 'n']] }
const imageInputs: GraphParts['inputs'] = { pixel_values: ['float', ['batch', 3, 'height', 'width']] }
const plainImages = { do_resize: false, do_rescale: true, do_normalize: false }

/** rows × columns of zeros but for the cells given as [row, column, value]. */
function toTable(rows: number, columns: number, cells: readonly (readonly [number, number, number])[]): Tensors[string] {
  const floats = new Float32Array(rows * columns)
  for (const [row, column, value] of cells) floats[row * columns + column] = value
  return { dimensions: [rows, columns], floats }
}

const toLabels = (labels: readonly string[]) => ({
  id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
  label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
})

/** The mean over all tokens, [CLS] and [SEP] too, of 9 per `good` for `positive` and 9 per `bad` for `negative`: `good` gives logits 0 and 3. */
function toTinyTextClassifier(): Files {
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
function toTinyZeroShot(): Files {
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
function toTinyTokenClassifier(): Files {
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

/** What writes the row of the encoder's output at each position: position = length of the cache, which each step makes longer by one. */
function toPositionDecoder(vocabulary: number, cache: string): Buffer {
  return createGraph({
    inputs: {
      input_ids: ['int64', ['batch', 't']],
      encoder_hidden_states: ['float', ['batch', 's', vocabulary]],
      [`past_key_values.${cache}`]: ['float', ['batch', 1, 'past', 1]],
      use_cache_branch: ['bool', [1]],
    },
    outputs: { logits: ['float', ['batch', 1, vocabulary]], [`present.${cache}`]: ['float', ['batch', 1, 'total', 1]] },
    tensors: {
      pastAxis: { dimensions: [1], int64s: [2] },
      step: { dimensions: [1, 1, 1, 1], floats: [1] },
    },
    nodes: [
      ['Shape', [`past_key_values.${cache}`], ['shape']],
      ['Gather', ['shape', 'pastAxis'], ['position']],
      ['Gather', ['encoder_hidden_states', 'position'], ['logits'], { axis: 1 }],
      ['Concat', [`past_key_values.${cache}`, 'step'], [`present.${cache}`], { axis: 2 }],
    ],
  })
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
function toTinySummarizer(): Files {
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

/** `a red picture`, `a green picture` or `a blue picture` by the strongest channel of the mean colour. */
function toTinyCaptioner(): Files {
  const words = ['a', 'picture', 'red', 'green', 'blue']
  const size = specialWords.length + words.length
  const text = ['a', null, 'picture'].map(
    (word, position) => (word === null ? [position, 0, 0] : [position, toWordId(words, word), 10]) as [number, number, number],
  )
  return {
    'config.json': {
      architectures: ['VisionEncoderDecoderModel'],
      model_type: 'vision-encoder-decoder',
      is_encoder_decoder: true,
      decoder_start_token_id: 2,
      pad_token_id: 0,
      eos_token_id: 3,
      encoder: { model_type: 'vit' },
      decoder: { model_type: 'gpt2', n_layer: 1, n_head: 1, n_embd: 1, n_positions: 16, eos_token_id: 3 },
    },
    'preprocessor_config.json': { image_processor_type: 'ViTImageProcessor', ...plainImages },
    ...toWordTokenizer(words),
    'onnx/encoder_model.onnx': createGraph({
      inputs: imageInputs,
      outputs: { last_hidden_state: ['float', ['batch', 4, size]] },
      tensors: {
        colours: toTable(
          3,
          size,
          ['red', 'green', 'blue'].map((colour, channel) => [channel, toWordId(words, colour), 10] as const),
        ),
        second: { dimensions: [1, 4, 1], floats: [0, 1, 0, 0] },
        text: { ...toTable(4, size, [...text, [3, 3, 10]]), dimensions: [1, 4, size] },
        middle: { dimensions: [1], int64s: [1] },
      },
      nodes: [
        ['ReduceMean', ['pixel_values'], ['mean'], { axes: [2, 3], keepdims: 0 }],
        ['MatMul', ['mean', 'colours'], ['colour']],
        ['Unsqueeze', ['colour', 'middle'], ['colourRow']],
        ['Mul', ['colourRow', 'second'], ['colourAt']],
        ['Add', ['colourAt', 'text'], ['last_hidden_state']],
      ],
    }),
    'onnx/decoder_model_merged.onnx': toPositionDecoder(size, '0.key'),
  }
}

/** Logits are six times the mean of each channel: a red picture has 6, 0 and 0. */
function toTinyImageClassifier(): Files {
  return {
    'config.json': { architectures: ['ViTForImageClassification'], model_type: 'vit', ...toLabels(['red', 'green', 'blue']) },
    'preprocessor_config.json': {
      image_processor_type: 'ViTImageProcessor',
      do_resize: true,
      size: { height: 8, width: 8 },
      do_rescale: true,
      do_normalize: false,
    },
    'onnx/model.onnx': createGraph({
      inputs: imageInputs,
      outputs: { logits: ['float', ['batch', 3]] },
      tensors: { six: { dimensions: [1], floats: [6] } },
      nodes: [
        ['ReduceMean', ['pixel_values'], ['mean'], { axes: [2, 3], keepdims: 0 }],
        ['Mul', ['mean', 'six'], ['logits']],
      ],
    }),
  }
}

/**
 * One `box` of logit 8 against 0 and 0 round the red rectangle of an image, and one query that sees background. The image is seen as
 * 16 × 16 pixels: centre and sides are those of the red ones.
 */
function toTinyDetector(): Files {
  const size = 16
  const centres = Array.from({ length: size }, (_, index) => (index + 0.5) / size)
  return {
    'config.json': { architectures: ['DetrForObjectDetection'], model_type: 'detr', ...toLabels(['box', 'other', 'N/A']) },
    'preprocessor_config.json': {
      image_processor_type: 'DetrImageProcessor',
      do_resize: true,
      size: { height: size, width: size },
      resample: 0,
      do_rescale: true,
      do_normalize: false,
    },
    'onnx/model.onnx': createGraph({
      inputs: { ...imageInputs, pixel_mask: ['int64', ['batch', 'rows', 'columns']] },
      outputs: { logits: ['float', [1, 2, 3]], pred_boxes: ['float', ['batch', 2, 4]] },
      tensors: {
        classes: { dimensions: [1, 2, 3], floats: [8, 0, 0, 0, 0, 8] },
        zero: { dimensions: [1], int64s: [0] },
        centres: { dimensions: [size], floats: centres },
        nowhere: { dimensions: [1, 4], floats: [0.5, 0.5, 0.1, 0.1] },
        lastAxis: { dimensions: [1], int64s: [1] },
      },
      nodes: [
        ['Identity', ['classes'], ['logits']],
        ['Gather', ['pixel_values', 'zero'], ['redPlane'], { axis: 1 }],
        // [batch, 1, rows, columns] to [batch, columns] and [batch, rows]
        ['ReduceMax', ['redPlane'], ['columns'], { axes: [1, 2], keepdims: 0 }],
        ['ReduceMax', ['redPlane'], ['rows'], { axes: [1, 3], keepdims: 0 }],
        ...(['columns', 'rows'] as const).flatMap((axis): GraphParts['nodes'] => [
          ['ReduceMean', [axis], [`${axis}Side`], { axes: [1], keepdims: 1 }],
          ['Mul', [axis, 'centres'], [`${axis}Weighted`]],
          ['ReduceSum', [`${axis}Weighted`, 'lastAxis'], [`${axis}Sum`], { keepdims: 1 }],
          ['ReduceSum', [axis, 'lastAxis'], [`${axis}Count`], { keepdims: 1 }],
          ['Div', [`${axis}Sum`, `${axis}Count`], [`${axis}Centre`]],
        ]),
        ['Concat', ['columnsCentre', 'rowsCentre', 'columnsSide', 'rowsSide'], ['box'], { axis: 1 }],
        ['Unsqueeze', ['box', 'lastAxis'], ['boxRow']],
        ['Unsqueeze', ['nowhere', 'lastAxis'], ['otherRow']],
        ['Concat', ['boxRow', 'otherRow'], ['pred_boxes'], { axis: 1 }],
      ],
    }),
  }
}

/** Brighter is nearer: disparity is the mean of the channels. */
function toTinyDepth(): Files {
  return {
    'config.json': { architectures: ['DPTForDepthEstimation'], model_type: 'dpt' },
    'preprocessor_config.json': { image_processor_type: 'DPTImageProcessor', ...plainImages },
    'onnx/model.onnx': createGraph({
      inputs: imageInputs,
      outputs: { predicted_depth: ['float', ['batch', 'height', 'width']] },
      nodes: [['ReduceMean', ['pixel_values'], ['predicted_depth'], { axes: [1], keepdims: 0 }]],
    }),
  }
}

/** Every pixel becomes four. */
function toTinyUpscaler(): Files {
  return {
    'config.json': { architectures: ['Swin2SRForImageSuperResolution'], model_type: 'swin2sr', upscale: 2 },
    'preprocessor_config.json': {
      image_processor_type: 'Swin2SRImageProcessor',
      do_resize: false,
      do_rescale: true,
      do_normalize: false,
      do_pad: true,
      pad_size: 8,
    },
    'onnx/model.onnx': createGraph({
      inputs: imageInputs,
      outputs: { reconstruction: ['float', ['batch', 3, 'height2', 'width2']] },
      tensors: { scales: { dimensions: [4], floats: [1, 1, 2, 2] } },
      nodes: [
        [
          'Resize',
          ['pixel_values', '', 'scales'],
          ['reconstruction'],
          { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
        ],
      ],
    }),
  }
}

/** `a` is 100 samples of 0.5, `b` 100 of -0.25, at 16 kHz. */
function toTinySpeech(): Files {
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

/** A CTC model that writes `a` for every tenth of a second that is loud and nothing for a quiet one. */
export function toTinyCtc(): Files {
  const tenth = 1_600
  return {
    'config.json': { architectures: ['Wav2Vec2ForCTC'], model_type: 'wav2vec2' },
    'preprocessor_config.json': { feature_extractor_type: 'Wav2Vec2FeatureExtractor', sampling_rate: 16_000, do_normalize: false },
    'tokenizer.json': {
      version: '1.0',
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'CTC', pad_token: '<pad>', word_delimiter_token: '|', cleanup: true },
      model: { type: 'WordPiece', unk_token: '<pad>', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: { '<pad>': 0, a: 1, '|': 2 } },
    },
    'tokenizer_config.json': { tokenizer_class: 'Wav2Vec2CTCTokenizer', pad_token: '<pad>' },
    'onnx/model.onnx': createGraph({
      inputs: { input_values: ['float', ['batch', 'samples']] },
      outputs: { logits: ['float', ['batch', 'tenths', 3]] },
      tensors: {
        channel: { dimensions: [1], int64s: [1] },
        // blank has 0.1, `a` the loudest sample
        toLogits: { dimensions: [1, 3], floats: [0, 1, 0] },
        blank: { dimensions: [3], floats: [0.1, 0, 0] },
      },
      nodes: [
        ['Abs', ['input_values'], ['loudness']],
        ['Unsqueeze', ['loudness', 'channel'], ['plane']],
        ['MaxPool', ['plane'], ['loudestPlane'], { kernel_shape: [tenth], strides: [tenth] }],
        ['Transpose', ['loudestPlane'], ['loudest'], { perm: [0, 2, 1] }],
        ['MatMul', ['loudest', 'toLogits'], ['spoken']],
        ['Add', ['spoken', 'blank'], ['logits']],
      ],
    }),
  }
}
