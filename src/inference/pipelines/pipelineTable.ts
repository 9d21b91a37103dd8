import { type PipelineKind, pipelineKinds } from '../../domain/taskKinds.ts'
import { captioning } from './captioning.ts'
import { depthEstimation } from './depthEstimation.ts'
import { imageClassification } from './imageClassification.ts'
import { imageToImage } from './imageToImage.ts'
import { objectDetection } from './objectDetection.ts'
import type { Json, PipelineRow, PipelineVariant } from './pipelineRow.ts'
import { speech } from './speech.ts'
import { summarization } from './summarization.ts'
import { textClassification } from './textClassification.ts'
import { tokenClassification } from './tokenClassification.ts'
import { transcription } from './transcription.ts'
import { translation } from './translation.ts'
import { zeroShotClassification } from './zeroShotClassification.ts'

/** Every kind of the generic runner, a row each: read by the layout of model folders, run by the worker. */
export const pipelineTable: { readonly [K in PipelineKind]: PipelineRow<K> } = Object.freeze({
  transcription,
  speech,
  translation,
  summarization,
  'text-classification': textClassification,
  'zero-shot-classification': zeroShotClassification,
  'token-classification': tokenClassification,
  'image-classification': imageClassification,
  'object-detection': objectDetection,
  captioning,
  'depth-estimation': depthEstimation,
  'image-to-image': imageToImage,
})

/** How a model with this config.json does tasks of a kind, undefined when it does not. */
export function findVariant(kind: PipelineKind, { architectures }: Json): PipelineVariant | undefined {
  const names = Array.isArray(architectures) ? architectures.map(String) : []
  return pipelineTable[kind].variants.find((variant) => names.some((name) => variant.architectures.test(name)))
}

/** The kinds of task that a model with this config.json may be for. */
export function listPipelineKinds(config: Json): PipelineKind[] {
  return pipelineKinds.filter((kind) => findVariant(kind, config) !== undefined)
}
