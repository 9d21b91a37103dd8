import type { RawImage } from '@huggingface/transformers'
import { maxUpscale } from '../../domain/taskKinds.ts'
import { encodeImage, type Pixels } from '../media/encodeImage.ts'
import { type Json, mediaFiles, type PipelineRow, singleGraph } from './pipelineRow.ts'

/** The image as an upscaler makes it larger: by its config's `upscale`, whose default is 2 (Swin2SRConfig of Python's transformers). */
export const imageToImage: PipelineRow<'image-to-image'> = {
  task: 'image-to-image',
  pipeline: 'ImageToImagePipeline',
  variants: [{ architectures: /^Swin2SRForImageSuperResolution$/, graphs: singleGraph, model: 'AutoModelForImageToImage' }],
  files: mediaFiles,
  generates: false,
  reads: () => ({ reconstruction: 'values' }),
  findFlaw: (config) => {
    const scale = toScale(config)
    return Number.isInteger(scale) && scale >= 1 && scale <= maxUpscale ? undefined : `it makes images ${scale} times as large, 1 to ${maxUpscale} are run`
  },
  run: async ({ model, image }) => {
    const made = (await model.call(image)) as RawImage
    if (made.channels !== 3) throw new TypeError(`the model gave ${made.channels} channels`)
    const scale = toScale(model.config)
    const file = encodeImage(cropImage(made, Math.min(made.width, image.width * scale), Math.min(made.height, image.height * scale)))
    return { output: { image: file.media }, files: [file] }
  },
}

function toScale({ upscale }: Json): number {
  return typeof upscale === 'number' ? upscale : 2
}

/** The upper left part: the image processor filled the input up to multiples of its window, to the right and below. */
function cropImage({ width, data }: RawImage, cropWidth: number, cropHeight: number): Pixels {
  const cropped = new Uint8Array(cropWidth * cropHeight * 3)
  for (let row = 0; row < cropHeight; row++) cropped.set(data.subarray(row * width * 3, (row * width + cropWidth) * 3), row * cropWidth * 3)
  return { width: cropWidth, height: cropHeight, channels: 3, data: cropped }
}
