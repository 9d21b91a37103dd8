/** Parts that the tiny models share. */
import { createGraph, type GraphParts } from './onnx.ts'

export type Files = Record<string, Buffer | string | object>

type Tensors = NonNullable<GraphParts['tensors']>

export const tokenInputs: GraphParts['inputs'] = { input_ids: ['int64', ['batch', 'n']], attention_mask: ['int64', ['batch', 'n']] }

export const imageInputs: GraphParts['inputs'] = { pixel_values: ['float', ['batch', 3, 'height', 'width']] }

/** rows × columns of zeros but for the cells given as [row, column, value]. */
export function toTable(rows: number, columns: number, cells: readonly (readonly [number, number, number])[]): Tensors[string] {
  const floats = new Float32Array(rows * columns)
  for (const [row, column, value] of cells) floats[row * columns + column] = value
  return { dimensions: [rows, columns], floats }
}

export const toLabels = (labels: readonly string[]) => ({
  id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
  label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
})

/** What writes the row of the encoder's output at each position: position = length of the cache, which each step makes longer by one. */
export function toPositionDecoder(vocabulary: number, cache: string): Buffer {
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
