import type { ScoredLabel } from '../../domain/task.ts'
import { mediaFiles, type PipelineRow, readsLogits, singleGraph } from './pipelineRow.ts'

/** The likeliest labels of an image, best first. */
export const imageClassification: PipelineRow<'image-classification'> = {
  task: 'image-classification',
  pipeline: 'ImageClassificationPipeline',
  variants: [{ architectures: /ForImageClassification$/, graphs: singleGraph, model: 'AutoModelForImageClassification' }],
  files: mediaFiles,
  generates: false,
  reads: readsLogits,
  run: async ({ model, image, params }) => ({ output: { labels: (await model.call(image, { top_k: params.topK })) as ScoredLabel[] } }),
}
