/** A text model of one layer whose cache decides what it says. */
import { createGraph, type GraphParts } from './onnx.ts'
import type { Files } from './tinyGraphs.ts'
import { toWordTokenizer } from './tinyTokenizer.ts'

export const vocabularySize = 64

export interface TinyDecoderOptions {
  /** of the cache's tensors */
  cache?: 'float' | 'float16'
  logits?: 'float' | 'float16'
}

/**
 * Says the numbers of Fibonacci: after the tokens a and b, logit j is -(j - a - b)² / 64, so that the likeliest is a + b. Both come from
 * the cache alone, where every token leaves its number as key and half of it as value; all are exact in half precision.
 */
export function createFibonacciGraph({ cache = 'float', logits = 'float' }: TinyDecoderOptions = {}): Buffer {
  const toType = (type: 'float' | 'float16') => ({ to: type === 'float' ? 1 : 10 })
  const shape = ['batch_size', 1, 'past', 1]
  return createGraph({
    inputs: {
      input_ids: ['int64', ['batch_size', 't']],
      attention_mask: ['int64', ['batch_size', 'total']],
      'past_key_values.0.key': [cache, shape],
      'past_key_values.0.value': [cache, shape],
    },
    outputs: {
      logits: [logits, ['batch_size', 1, vocabularySize]],
      'present.0.key': [cache, ['batch_size', 1, 'total', 1]],
      'present.0.value': [cache, ['batch_size', 1, 'total', 1]],
    },
    tensors: {
      cellAxes: { dimensions: [2], int64s: [1, 3] },
      last: { dimensions: [1], int64s: [-1] },
      before: { dimensions: [1], int64s: [-2] },
      half: { dimensions: [1], floats: [0.5] },
      eighth: { dimensions: [1], floats: [0.125] },
      numbers: { dimensions: [1, 1, vocabularySize], floats: Array.from({ length: vocabularySize }, (_, index) => index) },
      row: { dimensions: [3], int64s: [0, 1, 1] },
    },
    nodes: [
      ['Unsqueeze', ['input_ids', 'cellAxes'], ['ids']],
      ['Cast', ['ids'], ['newNumbers'], { to: 1 }],
      ['Mul', ['newNumbers', 'half'], ['newHalves']],
      ...(
        [
          ['newNumbers', 'key'],
          ['newHalves', 'value'],
        ] as const
      ).flatMap(([fresh, name]): GraphParts['nodes'] => [
        ['Cast', [fresh], [`${name}New`], toType(cache)],
        ['Concat', [`past_key_values.0.${name}`, `${name}New`], [`present.0.${name}`], { axis: 2 }],
        ['Cast', [`present.0.${name}`], [`${name}s`], { to: 1 }],
      ]),
      ['Gather', ['keys', 'last'], ['b'], { axis: 2 }],
      ['Gather', ['values', 'before'], ['halfOfA'], { axis: 2 }],
      ['Add', ['halfOfA', 'halfOfA'], ['a']],
      ['Add', ['a', 'b'], ['sum']],
      ['Reshape', ['sum', 'row'], ['wanted']],
      ['Sub', ['numbers', 'wanted'], ['off']],
      ['Mul', ['off', 'eighth'], ['distance']],
      ['Mul', ['distance', 'distance'], ['square']],
      ['Neg', ['square'], ['exact']],
      ['Cast', ['exact'], ['logits'], toType(logits)],
    ],
  })
}

/** Files of the model that {@link createFibonacciGraph} is, under the name of a dtype. */
export function toTinyDecoder(dtype: 'fp32' | 'fp16' | 'q4f16', options: TinyDecoderOptions = {}): Files {
  const suffix = dtype === 'fp32' ? '' : `_${dtype}`
  return {
    'config.json': {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      vocab_size: vocabularySize,
      hidden_size: 1,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      num_key_value_heads: 1,
      max_position_embeddings: 32,
    },
    ...toWordTokenizer(Array.from({ length: vocabularySize - 4 }, (_, index) => `w${index}`)),
    [`onnx/model${suffix}.onnx`]: createFibonacciGraph(options),
  }
}
