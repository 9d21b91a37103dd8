import { encoderDecoder, mediaFiles, type PipelineRow, readsLogits, textFiles } from './pipelineRow.ts'
import { toGreedy } from './toGreedy.ts'

/** A description of an image. */
export const captioning: PipelineRow<'captioning'> = {
  task: 'image-to-text',
  pipeline: 'ImageToTextPipeline',
  variants: [{ architectures: /^VisionEncoderDecoderModel$/, graphs: encoderDecoder, model: 'AutoModelForVision2Seq' }],
  files: [...mediaFiles, ...textFiles],
  generates: true,
  reads: readsLogits,
  run: async (call) => {
    const found = await call.model.call(call.image, toGreedy(call, call.params.maxTokens))
    return { output: { text: (found as { generated_text: string }[])[0]?.generated_text ?? '' } }
  },
}
