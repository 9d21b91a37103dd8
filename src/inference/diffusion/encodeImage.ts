import { createHash } from 'node:crypto'
import { type Manifest, toManifestDigest } from '../../domain/manifest.ts'
import type { ImageMedia } from '../../domain/media.ts'
import type { ImageInput, ImageParams } from '../../domain/task.ts'
import { encodePng } from './encodePng.ts'
import type { NumberTensor } from './loadGraph.ts'

/** What an image was made from. */
export interface ImageOrigin {
  manifest: Manifest
  input: ImageInput
  params: ImageParams
  seed: bigint
  /** its place in the task, from 0 */
  image: number
}

/**
 * A decoder's picture as a PNG that says how it was made: under `parameters` as people's tools read it (the format of
 * AUTOMATIC1111's web UI), under `cuckoo` as JSON. `picture`: float[1, 3, height, width], −1 to 1.
 */
export function encodeImage(picture: NumberTensor, origin: ImageOrigin): { media: ImageMedia; data: Uint8Array } {
  const [, , height, width] = picture.shape as [number, number, number, number]
  const data = encodePng({ width, height, pixels: toPixels(picture) }, { parameters: toParametersText(origin), cuckoo: toJsonText(origin) })
  return { media: { sha256: `0x${createHash('sha256').update(data).digest('hex')}`, bytes: data.length, type: 'image/png', width, height }, data }
}

/** uint8[height, width, 3]: −1 is 0, 1 is 255, what is beyond is cut. */
function toPixels({ data, shape }: NumberTensor): Uint8Array {
  const area = (shape[2] as number) * (shape[3] as number)
  const pixels = new Uint8Array(area * 3)
  for (let channel = 0; channel < 3; channel++)
    for (let at = 0; at < area; at++) pixels[at * 3 + channel] = Math.round(Math.min(1, Math.max(0, (data[channel * area + at] as number) / 2 + 0.5)) * 255)
  return pixels
}

function toParametersText({ manifest, input, params, seed, image }: ImageOrigin): string {
  const settings = {
    Steps: params.steps,
    Sampler: params.scheduler,
    'CFG scale': params.guidance,
    Seed: seed,
    Image: image,
    Size: `${params.width}x${params.height}`,
    Model: manifest.model,
    Version: 'cuckoo',
  }
  const negative = input.negativePrompt === '' ? [] : [`Negative prompt: ${input.negativePrompt}`]
  const line = Object.entries(settings).map(([name, value]) => `${name}: ${value}`)
  return [input.prompt, ...negative, line.join(', ')].join('\n')
}

function toJsonText({ manifest, input, params, seed, image }: ImageOrigin): string {
  const { count: _, ...own } = params
  return JSON.stringify({ software: 'cuckoo', model: manifest.model, manifest: toManifestDigest(manifest), ...input, ...own, seed: seed.toString(), image })
}
