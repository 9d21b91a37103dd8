import type { ScoredLabel } from '../../domain/task.ts'
import { assertTextFits } from './assertTextFits.ts'
import { type PipelineRow, readsLogits, singleGraph, textFiles } from './pipelineRow.ts'

/** The likeliest labels of a text, best first. */
export const textClassification: PipelineRow<'text-classification'> = {
  task: 'text-classification',
  pipeline: 'TextClassificationPipeline',
  variants: [{ architectures: /ForSequenceClassification$/, graphs: singleGraph, model: 'AutoModelForSequenceClassification' }],
  files: textFiles,
  generates: false,
  reads: readsLogits,
  run: async (call) => {
    assertTextFits(call, call.text)
    const labels = (await call.model.call(call.text, { top_k: call.params.topK })) as ScoredLabel[]
    return { output: { labels } }
  },
}
