import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readPlainPngSize } from '../../../../src/inference/media/pngChunks.ts'

const picture = (width = 30, height = 20) => sharp({ create: { width, height, channels: 4, background: { r: 1, g: 2, b: 3, alpha: 0.5 } } })

function createChunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, checksum])
}

/** `png` with more chunks right after its header. */
function insert(png: Buffer, ...chunks: Buffer[]): Buffer {
  return Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)])
}

/** `png` with a header that says something else, and has its checksum. */
function setHeader(png: Buffer, at: number, ...bytes: number[]): Buffer {
  const changed = Buffer.from(png)
  changed.set(bytes, 16 + at)
  changed.writeUInt32BE(crc32(changed.subarray(12, 29)), 29)
  return changed
}

describe('a plain PNG', () => {
  it.each([
    ['RGB with alpha', picture()],
    ['RGB', picture().removeAlpha()],
    ['grey', picture().removeAlpha().toColourspace('b-w')],
    ['of 16 bits', picture().toColourspace('rgb16')],
    ['of a palette, interlaced', picture()],
  ] as const)('says how large it is as a decoder does: %s', async (name, image) => {
    const isPalette = name.includes('palette')
    const data = await image.png({ palette: isPalette, progressive: isPalette }).toBuffer()
    const { width, height } = await sharp(data).metadata()
    // libvips writes what a screen is: a chunk that this reader leaves to it.
    const bare = Buffer.concat([data.subarray(0, 33), ...listOwn(data)])
    expect(readPlainPngSize(bare)).toEqual({ width, height })
  })

  it('may hold texts, but not the orientation that ImageMagick keeps in one, and not too many', async () => {
    const png = await createBare()
    const text = (keyword: string) => createChunk('tEXt', Buffer.from(`${keyword}\0x`))
    expect(readPlainPngSize(insert(png, text('parameters'), createChunk('iTXt', Buffer.from('cuckoo\0\0\0\0\0{}'))))).toEqual({ width: 30, height: 20 })
    for (const keyword of ['Raw profile type exif', 'Raw profile type APP1']) expect(readPlainPngSize(insert(png, text(keyword)))).toBeNull()
    expect(readPlainPngSize(insert(png, ...Array.from({ length: 33 }, () => text('a'))))).toBeNull()
  })
})

it('leaves to the decoder what may be shown otherwise', async () => {
  const turned = await picture().withMetadata({ orientation: 6 }).png().toBuffer()
  const png = await createBare()
  for (const type of ['eXIf', 'zTXt', 'acTL', 'IHDR', 'abcd']) expect(readPlainPngSize(insert(png, createChunk(type, Buffer.from('x\0\0y'))))).toBeNull()
  expect(readPlainPngSize(turned)).toBeNull()
})

it('leaves to the decoder what is not sound', async () => {
  const png = await createBare()
  expect(readPlainPngSize(png)).toEqual({ width: 30, height: 20 })
  const lies: [number, number[]][] = [
    [0, [0, 0, 0, 0]],
    [4, [0x80, 0, 0, 1]],
    [8, [3]],
    [9, [5]],
    [8, [16, 3]],
    [10, [1]],
    [11, [1]],
    [12, [2]],
  ]
  for (const [at, bytes] of lies) expect(readPlainPngSize(setHeader(png, at, ...bytes)), `${at}: ${bytes}`).toBeNull()
  const broken = Buffer.from(png)
  broken.writeUInt32BE(31, 16)
  expect(readPlainPngSize(broken)).toBeNull()
  for (let length = 8; length < png.length; length++) expect(readPlainPngSize(png.subarray(0, length)), `${length}`).toBeNull()
})

it('never says another size than the decoder, whatever is altered', async () => {
  const png = await createBare()
  const alteration = fc.tuple(fc.nat(40), fc.nat(255))
  let plain = 0
  await fc.assert(
    fc.asyncProperty(fc.array(alteration, { maxLength: 2 }), async (alterations) => {
      const data = Buffer.from(png)
      for (const [at, value] of alterations) data[at + 8] = value
      const size = readPlainPngSize(data)
      if (size === null) return
      plain++
      const { width, height } = (await sharp(data).metadata()).autoOrient
      expect(size).toEqual({ width, height })
    }),
    { numRuns: 300 },
  )
  expect(plain).toBeGreaterThan(20)
})

/** Chunks after the header that every PNG has. */
function listOwn(data: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 33; at < data.length; ) {
    const end = at + 12 + data.readUInt32BE(at)
    if (['PLTE', 'tRNS', 'IDAT', 'IEND'].includes(data.toString('latin1', at + 4, at + 8))) chunks.push(data.subarray(at, end))
    at = end
  }
  return chunks
}

async function createBare(): Promise<Buffer> {
  const data = await picture().png().toBuffer()
  return Buffer.concat([data.subarray(0, 33), ...listOwn(data)])
}
