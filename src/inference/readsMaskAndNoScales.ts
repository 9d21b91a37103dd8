import { join } from 'node:path'
import type { ModelToLoad } from './loadModel.ts'
import { readOnnxGraph } from './onnxGraph.ts'

/** True when every graph of the model takes an attention mask, and none is dynamically quantised. */
export async function readsMaskAndNoScales({ folder, manifest }: ModelToLoad): Promise<boolean> {
  if (manifest.dtype === 'q8') return false
  for (const { path } of manifest.files.filter((file) => file.path.endsWith('.onnx'))) {
    const graph = await readOnnxGraph(join(folder, path), { model: manifest.model, file: path })
    if (!graph.inputs.includes('attention_mask')) return false
  }
  return true
}
