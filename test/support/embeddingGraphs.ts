import { createGraph, type GraphParts, table, tableColumns, toEmbeddingModelFiles } from './onnx.ts'

const words = table.length / tableColumns
const tensors: GraphParts['tensors'] = {
  table: { dimensions: [words, tableColumns], floats: table },
  one: { dimensions: [1], int64s: [1] },
  two: { dimensions: [1], int64s: [2] },
  hunger: { dimensions: [words], int64s: Array.from({ length: words }, (_, id) => (id === 1 ? 2 ** 22 : 1)) },
}

/** Every word's vector is its row of the table plus the sum over its text's words; without `heedsMask` padding counts as words. */
const toMixing = (output: string, heedsMask = true): GraphParts['nodes'] => [
  ['Gather', ['table', 'input_ids'], ['words']],
  ['Cast', ['attention_mask'], ['mask'], { to: 1 }],
  ['Unsqueeze', ['mask', 'two'], ['column']],
  ['Mul', ['words', 'column'], ['masked']],
  ['ReduceSum', [heedsMask ? 'masked' : 'words', 'one'], ['sum']],
  ['Add', ['masked', 'sum'], [output]],
]

const graphs = {
  masked: toMixing('last_hidden_state'),
  maskless: toMixing('last_hidden_state', false),
  /** through a scale taken over all texts of a call */
  quantising: [
    ...toMixing('exact'),
    ['DynamicQuantizeLinear', ['exact'], ['small', 'scale', 'zero']],
    ['DequantizeLinear', ['small', 'scale', 'zero'], ['last_hidden_state']],
  ],
  /** a run with the word 1 needs 2^22 floats; with two of them, in one text or in two, 2^44, which are 64 TiB */
  hungry: [
    ...toMixing('exact'),
    ['Gather', ['hunger', 'input_ids'], ['wants']],
    ['ReduceProd', ['wants'], ['want'], { keepdims: 0 }],
    ['Reshape', ['want', 'one'], ['size']],
    ['ConstantOfShape', ['size'], ['much']],
    ['ReduceSum', ['much'], ['nothing'], { keepdims: 0 }],
    ['Add', ['exact', 'nothing'], ['last_hidden_state']],
  ],
} satisfies Record<string, GraphParts['nodes']>

/** Files of an embedding model of the words of {@link toEmbeddingModelFiles}, whose graph takes an attention mask. */
export function toMaskedModelFiles(graph: keyof typeof graphs): ReturnType<typeof toEmbeddingModelFiles> {
  const model = createGraph({
    inputs: { input_ids: ['int64', ['batch', 'n']], attention_mask: ['int64', ['batch', 'n']] },
    outputs: { last_hidden_state: ['float', ['batch', 'n', tableColumns]] },
    nodes: graphs[graph],
    tensors,
  })
  return { ...toEmbeddingModelFiles(), 'onnx/model.onnx': model }
}
