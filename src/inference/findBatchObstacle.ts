import { join } from 'node:path'
import type { ModelToLoad } from './loadModel.ts'
import { readOnnxGraph } from './onnxGraph.ts'

/** Operators that take a scale over the whole of a call, neighbours included. */
const dynamicQuantisation = new Set([
  'DynamicQuantizeLinear',
  'MatMulInteger',
  'ConvInteger',
  'DynamicQuantizeMatMul',
  'DynamicQuantizeLSTM',
  'MatMulIntegerToFloat',
  'QAttention',
])

/** Why texts of this model must not share a run, null where its files name no reason. */
export async function findBatchObstacle({ folder, manifest }: ModelToLoad): Promise<string | null> {
  if (manifest.dtype === 'q8') return 'q8 weights are dynamically quantised'
  for (const { path } of manifest.files.filter((file) => file.path.endsWith('.onnx'))) {
    const graph = await readOnnxGraph(join(folder, path), { model: manifest.model, file: path })
    if (!graph.inputs.includes('attention_mask')) return `${path} takes no attention_mask`
    const quantised = graph.operators.find(({ type }) => dynamicQuantisation.has(type))
    if (quantised !== undefined) return `${path} quantises while it runs (${quantised.type})`
  }
  return null
}
