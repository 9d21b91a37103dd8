import { assertTextFits } from './assertTextFits.ts'
import { type PipelineRow, readsLogits, singleGraph, textFiles } from './pipelineRow.ts'

/** The hypothesis that a label makes, in English as the models were trained (Yin et al. 2019; the default of transformers.js 4.3.1). */
const hypothesis = 'This example is {}.'

/** How well each of the request's labels fits a text, best first, by a model of natural language inference: one run per label. */
export const zeroShotClassification: PipelineRow<'zero-shot-classification'> = {
  task: 'zero-shot-classification',
  pipeline: 'ZeroShotClassificationPipeline',
  variants: [{ architectures: /ForSequenceClassification$/, graphs: singleGraph, model: 'AutoModelForSequenceClassification' }],
  files: textFiles,
  generates: false,
  reads: readsLogits,
  run: async (call) => {
    const { text, labels, params, model } = call
    for (const label of labels)
      assertTextFits(
        call,
        text,
        hypothesis.replace('{}', () => label),
      )
    const result = await model.call(text, labels, { multi_label: params.multiLabel, hypothesis_template: hypothesis })
    const found = result as { labels: string[]; scores: number[] }
    return { output: { labels: found.labels.map((label, index) => ({ label, score: found.scores[index] as number })) } }
  },
}
