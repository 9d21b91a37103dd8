import { mediaFiles, type PipelineRow, singleGraph } from './pipelineRow.ts'

interface FoundObject {
  score: number
  label: string
  box: { xmin: number; ymin: number; xmax: number; ymax: number }
}

/** Objects of at least the threshold's score, best first, their boxes in pixels of the image; a box that a model turns inside out is empty. */
export const objectDetection: PipelineRow<'object-detection'> = {
  task: 'object-detection',
  pipeline: 'ObjectDetectionPipeline',
  variants: [{ architectures: /ForObjectDetection$/, graphs: singleGraph, model: 'AutoModelForObjectDetection' }],
  files: mediaFiles,
  generates: false,
  reads: () => ({ logits: 'scores', pred_boxes: 'values' }),
  run: async ({ model, image, params }) => {
    const found = (await model.call(image, { threshold: params.threshold })) as FoundObject[]
    const clamp = (value: number, limit: number) => Math.min(limit, Math.max(0, value))
    const objects = found.map(({ label, score, box }) => ({
      label,
      score,
      box: {
        left: clamp(box.xmin, image.width),
        top: clamp(box.ymin, image.height),
        right: clamp(Math.max(box.xmin, box.xmax), image.width),
        bottom: clamp(Math.max(box.ymin, box.ymax), image.height),
      },
    }))
    return { output: { objects: objects.sort((a, b) => b.score - a.score) } }
  },
}
