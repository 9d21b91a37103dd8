import { assertTextFits } from './assertTextFits.ts'
import { encoderDecoder, type PipelineRow, readsLogits, textFiles } from './pipelineRow.ts'
import { toGreedy } from './toGreedy.ts'
import { toTaskPrefix } from './toTaskPrefix.ts'

/** A shorter text that says the same. */
export const summarization: PipelineRow<'summarization'> = {
  task: 'summarization',
  pipeline: 'SummarizationPipeline',
  variants: [{ architectures: /^(Bart|MBart|T5|MT5|LongT5)ForConditionalGeneration$/, graphs: encoderDecoder, model: 'AutoModelForSeq2SeqLM' }],
  files: textFiles,
  generates: true,
  reads: readsLogits,
  run: async (call) => {
    assertTextFits(call, toTaskPrefix(call.model.config, 'summarization') + call.text)
    const found = await call.model.call(call.text, toGreedy(call, call.params.maxTokens))
    return { output: { text: (found as { summary_text: string }[])[0]?.summary_text.trim() ?? '' } }
  },
}
