/** Tiny models that take images or audio: each function says what its model answers. */
import { createGraph, type GraphParts } from './onnx.ts'
import { type Files, imageInputs, toLabels, toPositionDecoder, toTable } from './tinyGraphs.ts'
import { specialWords, toWordId, toWordTokenizer } from './tinyTokenizer.ts'

const plainImages = { do_resize: false, do_rescale: true, do_normalize: false }

/** `a red picture`, `a green picture` or `a blue picture` by the strongest channel of the mean colour. */
export function toTinyCaptioner(): Files {
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
export function toTinyImageClassifier(): Files {
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
export function toTinyDetector(): Files {
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
export function toTinyDepth(): Files {
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
export function toTinyUpscaler(): Files {
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
