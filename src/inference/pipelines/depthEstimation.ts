import { encodeImage } from '../media/encodeImage.ts'
import { type Json, mediaFiles, type PipelineRow, singleGraph } from './pipelineRow.ts'

/** Models that predict metres, where more is farther; the others predict disparity, where more is nearer. */
const metricArchitectures = /^(GLPN|DepthPro|Metric3D)/

/** Depth of every pixel as 16-bit grey, scaled so that the nearest is 65,535 and the farthest 0; of a flat image all are 0. */
export const depthEstimation: PipelineRow<'depth-estimation'> = {
  task: 'depth-estimation',
  pipeline: 'DepthEstimationPipeline',
  variants: [
    {
      architectures: /^(DPT|DepthAnything|GLPN|DepthPro|Metric3D(v2)?|Sapiens|CHMv2)ForDepthEstimation$/,
      graphs: singleGraph,
      model: 'AutoModelForDepthEstimation',
    },
  ],
  files: mediaFiles,
  generates: false,
  reads: () => ({ predicted_depth: 'values' }),
  run: async ({ model, image }) => {
    const { predicted_depth } = (await model.call(image)) as { predicted_depth: { dims: number[]; data: Float32Array } }
    const [height = 0, width = 0] = predicted_depth.dims
    const file = encodeImage({ width, height, channels: 1, data: toNearness(predicted_depth.data, isMetric(model.config)) })
    return { output: { image: file.media }, files: [file] }
  },
}

function isMetric({ architectures, depth_estimation_type }: Json): boolean {
  return depth_estimation_type === 'metric' || (Array.isArray(architectures) && architectures.some((name) => metricArchitectures.test(String(name))))
}

/** uint16 of the same shape. */
function toNearness(depth: Float32Array, farther: boolean): Uint16Array {
  let [least, most] = [Infinity, -Infinity]
  for (const value of depth) {
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  const scale = most > least ? 65_535 / (most - least) : 0
  return Uint16Array.from(depth, (value) => Math.round((farther ? most - value : value - least) * scale))
}
