import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../../../src/inference/media/decodeImage.ts'
import { encodeImage } from '../../../../src/inference/media/encodeImage.ts'
import { createPicture } from '../../../support/mediaFiles.ts'

/** 2 × 1: red, then blue */
const pair = createPicture(2, 1, (x) => (x === 0 ? [255, 0, 0] : [0, 0, 255])).data
const refused = expect.objectContaining({ code: 'CUCKOO_MEDIA_UNKNOWN', httpStatus: 422 })

describe('decodeImage', () => {
  it('gives RGB rows', async () => {
    expect(await decodeImage(pair, 2)).toEqual({ width: 2, height: 1, data: Uint8ClampedArray.of(255, 0, 0, 0, 0, 255) })
  })

  it('turns the image as its EXIF orientation says', async () => {
    // 6: the first column is the top row seen from the right
    const turned = await sharp(pair).withMetadata({ orientation: 6 }).png().toBuffer()
    expect(await decodeImage(turned, 2)).toEqual({ width: 1, height: 2, data: Uint8ClampedArray.of(255, 0, 0, 0, 0, 255) })
    const mirrored = await sharp(pair).withMetadata({ orientation: 2 }).png().toBuffer()
    expect((await decodeImage(mirrored, 2)).data).toEqual(Uint8ClampedArray.of(0, 0, 255, 255, 0, 0))
  })

  it('makes three channels of grey, transparent, 16-bit and indexed images', async () => {
    const grey = await sharp(pair).greyscale().png().toBuffer()
    expect((await decodeImage(grey, 2)).data).toHaveLength(6)
    const clear = await sharp({ create: { width: 1, height: 1, channels: 4, background: { r: 9, g: 8, b: 7, alpha: 0.5 } } })
      .png()
      .toBuffer()
    expect((await decodeImage(clear, 1)).data).toEqual(Uint8ClampedArray.of(9, 8, 7))
    const deep = encodeImage({ width: 1, height: 1, channels: 3, data: Uint16Array.of(0xff00, 0x8000, 0) }).data
    expect((await decodeImage(deep, 1)).data).toEqual(Uint8ClampedArray.of(255, 128, 0))
    expect((await decodeImage(await sharp(pair).png({ palette: true }).toBuffer(), 2)).data).toEqual(Uint8ClampedArray.of(255, 0, 0, 0, 0, 255))
  })

  it('takes the first frame of an animation', async () => {
    const first = await sharp({ create: { width: 4, height: 8, channels: 3, background: 'black', pageHeight: 4 } })
      .webp({ lossless: true })
      .toBuffer()
    expect(await decodeImage(first, 100)).toMatchObject({ width: 4, height: 4 })
  })

  it('refuses what is cut, altered, or larger than the limit', async () => {
    const large = await sharp({ create: { width: 300, height: 300, channels: 3, noise: { type: 'gaussian', mean: 128, sigma: 30 }, background: 'red' } })
      .jpeg()
      .toBuffer()
    await expect(decodeImage(large.subarray(0, large.length / 2), 1e6)).rejects.toThrow(refused)
    await expect(decodeImage(pair, 1)).rejects.toThrow(refused)
    const altered = Buffer.from(pair)
    altered.fill(0, 41, 50)
    await expect(decodeImage(altered, 2)).rejects.toThrow(refused)
  })
})

describe('encodeImage', () => {
  it('writes the same bytes for the same pixels, which decode to them', async () => {
    const pixels = { width: 2, height: 2, channels: 3, data: Uint8Array.from({ length: 12 }, (_, index) => index * 20) } as const
    const file = encodeImage(pixels)
    expect(file).toEqual(encodeImage(pixels))
    expect(file.media).toMatchObject({ type: 'image/png', width: 2, height: 2, bytes: file.data.length })
    expect((await decodeImage(file.data, 4)).data).toEqual(Uint8ClampedArray.from(pixels.data))
  })

  it('keeps 16 bits of grey', async () => {
    const { data } = encodeImage({ width: 3, height: 1, channels: 1, data: Uint16Array.of(0, 258, 65_535) })
    const raw = await sharp(data).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer()
    expect([...new Uint16Array(raw.buffer, raw.byteOffset, 3)]).toEqual([0, 258, 65_535])
  })
})
