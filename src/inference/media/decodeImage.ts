import { mediaUnknown } from '../../errors/media.ts'

export interface DecodedImage {
  width: number
  height: number
  /** RGB: uint8[height, width, 3] */
  data: Uint8ClampedArray
}

/**
 * The image as RGB pixels the way a viewer turns it: EXIF orientation applied, colours in sRGB, transparency dropped as Python's
 * `convert('RGB')` drops it, 16 bits cut to 8, the first frame of an animation.
 * @throws CUCKOO_MEDIA_UNKNOWN when it cannot be decoded to its end
 */
export async function decodeImage(data: Uint8Array, maxPixels: number): Promise<DecodedImage> {
  const { default: sharp } = await import('sharp')
  try {
    const image = sharp(data, { limitInputPixels: maxPixels, failOn: 'truncated' }).autoOrient().removeAlpha().toColourspace('srgb')
    const { data: pixels, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    if (info.channels !== 3) throw new TypeError(`sharp gave ${info.channels} channels`)
    return { width: info.width, height: info.height, data: new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length) }
  } catch (error) {
    throw mediaUnknown({ wanted: 'image', problem: 'its pixels cannot be decoded' }, { cause: error })
  }
}
