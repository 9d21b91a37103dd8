/**
 * Real models of a few hundred bytes, one per pipeline kind, in the layout transformers.js loads: config, tokenizer, ONNX graphs with
 * the inputs and outputs of the real architectures. Their weights are chosen so that the right answer can be worked out by hand;
 * each function says what its model answers.
 */
import { join } from 'node:path'
import type { PipelineKind } from '../../src/domain/taskKinds.ts'
import { writeModelFiles } from './onnx.ts'
import type { Files } from './tinyGraphs.ts'
import { toTinyCaptioner, toTinyDepth, toTinyDetector, toTinyImageClassifier, toTinyUpscaler } from './tinyMediaModels.ts'
import { toTinySpeech, toTinySummarizer, toTinyTextClassifier, toTinyTokenClassifier, toTinyTranslator, toTinyZeroShot } from './tinyTextModels.ts'
import { toTinyWhisper } from './tinyWhisper.ts'

/** Writes the tiny model of a kind as `<directory>/tiny/<kind>` (a few ms); its name, `tiny/<kind>`, fp32, source `folder`. */
export async function writeTinyModel(directory: string, kind: PipelineKind): Promise<string> {
  const model = `tiny/${kind}`
  writeModelFiles(join(directory, model), toTinyModel(kind))
  return model
}

/** The files of the tiny model of a kind. */
export function toTinyModel(kind: PipelineKind): Files {
  return tinyModels[kind]()
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
