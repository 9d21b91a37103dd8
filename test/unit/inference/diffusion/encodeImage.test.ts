import { createHash } from 'node:crypto'
import { decode } from 'fast-png'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Manifest } from '../../../../src/domain/manifest.ts'
import { toManifestDigest } from '../../../../src/domain/manifest.ts'
import { encodeImage } from '../../../../src/inference/diffusion/encodeImage.ts'
import { encodePng } from '../../../../src/inference/diffusion/encodePng.ts'

const manifest: Manifest = {
  version: 1,
  model: 'a/b',
  revision: null,
  kind: 'image',
  dtype: 'fp32',
  files: [],
  limits: { contextTokens: 77, maxOutputTokens: 0, maxBatch: 10 },
  chatTemplate: false,
  eosTokenIds: [],
  pooling: null,
  proof: 'none',
}
const origin = {
  manifest,
  input: { prompt: 'a red circle', negativePrompt: 'blue' },
  params: { count: 2, width: 2, height: 1, steps: 20, guidance: 7.5, scheduler: 'euler' } as const,
  seed: 2n ** 63n,
  image: 1,
}
/** red channel of both pixels, then green, then blue */
const picture = { data: [-1, 1, 0, -3, 0.5, 9], shape: [1, 3, 1, 2] }

/** Chunks of a PNG by the standard's layout: length, type, data, checksum. */
function listChunks(png: Uint8Array): { type: string; data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = []
  const bytes = Buffer.from(png)
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    chunks.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, at + 8 + length) })
    at += 12 + length
  }
  return chunks
}

describe('encodeImage', () => {
  it('maps −1 to 0 and 1 to 255, cuts what is beyond, and names the file by its hash', async () => {
    const { media, data } = encodeImage(picture, origin)
    expect([...decode(data, { checkCrc: true }).data]).toEqual([0, 128, 191, 255, 0, 255])
    expect(media).toEqual({ sha256: `0x${createHash('sha256').update(data).digest('hex')}`, bytes: data.length, type: 'image/png', width: 2, height: 1 })
    expect([...(await sharp(data).raw().toBuffer())]).toEqual([0, 128, 191, 255, 0, 255])
    expect(encodeImage(picture, origin).data).toEqual(data)
  })

  it('says how it was made, for tools and as JSON', () => {
    const { parameters, cuckoo } = decode(encodeImage(picture, origin).data).text
    expect(parameters).toBe(
      'a red circle\nNegative prompt: blue\nSteps: 20, Sampler: euler, CFG scale: 7.5, Seed: 9223372036854775808, Image: 1, Size: 2x1, Model: a/b, Version: cuckoo',
    )
    expect(JSON.parse(cuckoo as string)).toEqual({
      software: 'cuckoo',
      model: 'a/b',
      manifest: toManifestDigest(manifest),
      prompt: 'a red circle',
      negativePrompt: 'blue',
      width: 2,
      height: 1,
      steps: 20,
      guidance: 7.5,
      scheduler: 'euler',
      seed: '9223372036854775808',
      image: 1,
    })
  })
})

describe('encodePng', () => {
  const pixels = Uint8Array.of(1, 2, 3)

  it('writes texts beyond Latin-1 as UTF-8, with checksums that other decoders accept', async () => {
    const png = encodePng({ width: 1, height: 1, pixels }, { parameters: 'ein Kreis – 円 🔴', other: 'crème' })
    const [header, international, latin] = listChunks(png) as [{ type: string }, { type: string; data: Buffer }, { type: string; data: Buffer }]
    expect([header.type, international.type, latin.type]).toEqual(['IHDR', 'iTXt', 'tEXt'])
    // keyword, NUL, not compressed, method 0, language of no name, translated keyword of no name
    expect(international.data.toString('utf8')).toBe('parameters\0\0\0\0\0ein Kreis – 円 🔴')
    expect(latin.data.toString('latin1')).toBe('other\0crème')
    expect([...decode(png, { checkCrc: true }).data]).toEqual([1, 2, 3])
    expect([...(await sharp(png).raw().toBuffer())]).toEqual([1, 2, 3])
  })

  it('keeps a text in its chunk whatever is in it', () => {
    const png = encodePng({ width: 1, height: 1, pixels }, { parameters: 'a\0b\r\x1b' })
    expect(listChunks(png)[1]?.data.toString('utf8')).toBe('parameters\0\0\0\0\0a b\r\x1b')
    expect([...decode(png, { checkCrc: true }).data]).toEqual([1, 2, 3])
  })
})
