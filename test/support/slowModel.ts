import { join } from 'node:path'
import { createGraph, type GraphParts, table, tableColumns, toEmbeddingModelFiles, writeModelFiles } from './onnx.ts'

/** The word over which a run of the slow model lasts; all others are quick. */
export const slowWord = 5
/** 120 products of 2048² matrices are 2 × 10^12 operations in one call of the runtime: 5 s on two cores. What is worked out at load has one of them, at 0.1 s each. */
const [side, runProducts, loadProducts] = [2048, 120, 40]
const words = table.length / tableColumns

const tensors: GraphParts['tensors'] = {
  table: { dimensions: [words, tableColumns], floats: table },
  one: { dimensions: [1], int64s: [1] },
  two: { dimensions: [1], int64s: [2] },
  sides: { dimensions: [words], int64s: Array.from({ length: words }, (_, id) => (id === slowWord ? side : 2)) },
}

/** `nothing` is the sum of a square of zeros, multiplied by itself again and again. */
const toProducts = (length: string, products: number): GraphParts['nodes'] => [
  ['Concat', [length, length], ['shape'], { axis: 0 }],
  ['ConstantOfShape', ['shape'], ['product0']],
  ...Array.from({ length: products }, (_, index): GraphParts['nodes'][number] => ['MatMul', [`product${index}`, 'product0'], [`product${index + 1}`]]),
  ['ReduceSum', [`product${products}`], ['nothing'], { keepdims: 0 }],
]

function toFiles(nodes: GraphParts['nodes']): ReturnType<typeof toEmbeddingModelFiles> {
  const model = createGraph({
    inputs: { input_ids: ['int64', ['batch', 'n']], attention_mask: ['int64', ['batch', 'n']] },
    outputs: { last_hidden_state: ['float', ['batch', 'n', tableColumns]] },
    nodes: [
      ['Gather', ['table', 'input_ids'], ['words']],
      ['Cast', ['attention_mask'], ['mask'], { to: 1 }],
      ['Unsqueeze', ['mask', 'two'], ['column']],
      ['Mul', ['words', 'column'], ['exact']],
      // A graph that quantises gets no trial runs while it loads.
      ['DynamicQuantizeLinear', ['exact'], ['small', 'scale', 'zero']],
      ['DequantizeLinear', ['small', 'scale', 'zero'], ['near']],
      ...nodes,
      ['Add', ['near', 'nothing'], ['last_hidden_state']],
    ],
    tensors: { ...tensors, side: { dimensions: [1], int64s: [side] } },
  })
  return { ...toEmbeddingModelFiles(), 'onnx/model.onnx': model }
}

/** Writes two embedding models under `directory`: `test/slow`, which computes for seconds over {@link slowWord}, and `test/heavy`, which does while it loads. */
export function writeSlowModels(directory: string): void {
  const fromInput: GraphParts['nodes'] = [
    ['Gather', ['sides', 'input_ids'], ['wanted']],
    ['ReduceMax', ['wanted'], ['most'], { keepdims: 0 }],
    ['Reshape', ['most', 'one'], ['length']],
  ]
  writeModelFiles(join(directory, 'test/slow'), toFiles([...fromInput, ...toProducts('length', runProducts)]))
  // The runtime works out what depends on constants alone when it loads a graph.
  writeModelFiles(join(directory, 'test/heavy'), toFiles(toProducts('side', loadProducts)))
}
