import { createHash } from 'node:crypto'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { CuckooError } from '../../../../src/errors/cuckooError.ts'
import { createMediaReader } from '../../../../src/inference/media/createMediaReader.ts'
import { createFlac, createMp3, createPicture, createTones, createWav, mp3FrameBytes } from '../../../support/mediaFiles.ts'

const reader = createMediaReader()
const limits = { maxPixels: 4096 * 4096, maxSeconds: 60 }
const read = (data: Uint8Array, wanted: 'image' | 'audio', own = limits) => reader.read(data, wanted, own)
const refused = (code: string, facts: object = {}) => expect.objectContaining({ code, httpStatus: 422, facts: expect.objectContaining(facts) })
const picture = () => sharp({ create: { width: 30, height: 20, channels: 3, background: 'teal' } })

/** The header of a PNG of any size, and no pixels. */
function createPngHeader(width: number, height: number): Uint8Array {
  const png = Buffer.from(createPicture(1, 1, () => [0, 0, 0]).data)
  png.writeUInt32BE(width, 16)
  png.writeUInt32BE(height, 20)
  return new Uint8Array(png)
}

describe('images', () => {
  it.each(['png', 'jpeg', 'webp'] as const)('are read by their header: %s', async (format) => {
    const data = new Uint8Array(await picture().toFormat(format).toBuffer())
    const sha256 = `0x${createHash('sha256').update(data).digest('hex')}`
    expect(await read(data, 'image')).toEqual({ sha256, bytes: data.length, type: `image/${format}`, width: 30, height: 20 })
  })

  it.each(['png', 'jpeg', 'webp'] as const)('have the size a viewer shows, after the EXIF orientation: %s', async (format) => {
    const data = new Uint8Array(await picture().toFormat(format).withMetadata({ orientation: 6 }).toBuffer())
    expect(await read(data, 'image')).toMatchObject({ width: 20, height: 30 })
  })

  it('of an animation have the size of the first frame', async () => {
    const frames = sharp({ create: { width: 30, height: 60, channels: 3, background: 'teal', pageHeight: 20 } })
    expect(await read(new Uint8Array(await frames.webp({ loop: 0 }).toBuffer()), 'image')).toMatchObject({ width: 30, height: 20 })
  })

  it('that would decode to more pixels than allowed are refused by the header alone (fault 12)', async () => {
    await expect(read(createPngHeader(30_000, 30_000), 'image')).rejects.toThrow(
      refused('CUCKOO_MEDIA_TOO_LARGE', { what: 'pixels', size: 900_000_000, limit: 16_777_216 }),
    )
    const small = createPicture(10, 10, () => [0, 0, 0]).data
    await expect(read(small, 'image', { maxPixels: 99, maxSeconds: 0 })).rejects.toThrow(refused('CUCKOO_MEDIA_TOO_LARGE', { size: 100, limit: 99 }))
    expect(await read(small, 'image', { maxPixels: 100, maxSeconds: 0 })).toMatchObject({ width: 10 })
  })

  it('that are lines, which a resize of the shorter side would blow up, are refused', async () => {
    await expect(read(createPngHeader(16_000, 1), 'image')).rejects.toThrow(refused('CUCKOO_MEDIA_TOO_NARROW', { width: 16_000, height: 1 }))
  })

  it.each(['png', 'jpeg', 'webp'] as const)('that are cut anywhere are refused: %s', async (format) => {
    const data = new Uint8Array(await picture().withMetadata({ orientation: 1 }).toFormat(format).toBuffer())
    for (let length = 0; length < data.length; length += 7)
      await expect(read(data.subarray(0, length), 'image'), `${length} of ${data.length}`).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN'))
  })

  it('of other types, and audio, are refused', async () => {
    const gif = new Uint8Array(await picture().gif().toBuffer())
    const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    for (const data of [gif, svg, new Uint8Array(), createWav(new Float32Array(9)).data])
      await expect(read(data, 'image')).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN', { wanted: 'image' }))
    await expect(read(createPicture(2, 2, () => [0, 0, 0]).data, 'audio')).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN', { wanted: 'audio' }))
  })
})

describe('audio', () => {
  const second = createTones(8_000, [[440, 1]])

  it.each([
    [{}, 500],
    [{ sampleRate: 8_000, channels: 2, bits: 8 }, 1_000],
    [{ sampleRate: 8_000, bits: 24 }, 1_000],
    [{ sampleRate: 44_100, bits: 32, float: true }, 182],
  ] as const)('in a WAV lasts what its samples say: %o', async (options, durationMs) => {
    const { data } = createWav(second, options)
    expect(await read(data, 'audio')).toMatchObject({ type: 'audio/wav', durationMs, bytes: data.length })
  })

  it('in a WAV of a pipe, whose length was never filled in, reaches to the end', async () => {
    for (const size of [0, 0xffffffff]) {
      const data = Buffer.from(createWav(second, { sampleRate: 8_000 }).data)
      data.writeUInt32LE(size, 40)
      expect(await read(new Uint8Array(data), 'audio')).toMatchObject({ durationMs: 1_000 })
    }
  })

  it('in an MP3 lasts what its frames say, whatever tags surround them', async () => {
    const frames = createMp3(50)
    // a tag that holds what looks like two frames: its length is 834, in bytes of seven bits
    const id3 = Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 6, 66]), createMp3(2)])
    const tag = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125)])
    const expected = { type: 'audio/mpeg', durationMs: Math.ceil(((50 * 1_152) / 44_100) * 1_000) }
    expect(await read(frames, 'audio')).toMatchObject(expected)
    expect(await read(new Uint8Array(Buffer.concat([id3, frames, tag])), 'audio')).toMatchObject(expected)
  })

  it('in an MP3 is looked for in so many bytes and no more', async () => {
    const behind = (bytes: number) => new Uint8Array(Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1'), Buffer.alloc(bytes), createMp3(2)]))
    expect(await read(behind(200_000), 'audio')).toMatchObject({ durationMs: 53 })
    await expect(read(behind(300_000), 'audio')).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN', { wanted: 'audio' }))
  })

  it('in an MP3 of a million tiny frames is measured to the limit, and no further', async () => {
    // 24 bytes: MPEG 2, layer 3, 8 kbit/s, 24 kHz
    const frame = Buffer.alloc(24)
    frame.set([0xff, 0xf3, 0x14])
    const data = new Uint8Array(Buffer.alloc(24 * 2 ** 20, frame))
    const startedAt = performance.now()
    await expect(read(data, 'audio')).rejects.toThrow(refused('CUCKOO_MEDIA_TOO_LARGE', { what: 'seconds', size: 61, limit: 60 }))
    // 1 ms where nothing else runs; all frames took 350
    expect(performance.now() - startedAt).toBeLessThan(250)
  })

  it('in a FLAC lasts what its header says', async () => {
    expect(await read(createFlac(new Int16Array(24_000)), 'audio')).toMatchObject({ type: 'audio/flac', durationMs: 1_500 })
    await expect(read(createFlac(new Int16Array(4_096), { announced: 0 }), 'audio')).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN'))
  })

  it('longer than allowed is refused', async () => {
    const short = { maxPixels: 0, maxSeconds: 0.9 }
    const facts = { what: 'seconds', limit: 0.9 }
    for (const data of [createWav(second, { sampleRate: 8_000 }).data, createMp3(100), createFlac(new Int16Array(16_000))])
      await expect(read(data, 'audio', short)).rejects.toThrow(refused('CUCKOO_MEDIA_TOO_LARGE', facts))
  })

  it('that is cut, empty or of another coding is refused', async () => {
    const { data } = createWav(second, { sampleRate: 8_000 })
    const alaw = Buffer.from(data)
    alaw.writeUInt16LE(6, 20)
    const silent = Buffer.from(data)
    silent.writeUInt16LE(0, 22)
    const slow = Buffer.from(data)
    slow.writeUInt32LE(1, 24)
    const cut = [data.subarray(0, -1), data.subarray(0, 30), createWav(new Float32Array(0)).data, createMp3(3).subarray(0, 3 * mp3FrameBytes - 1)]
    // A resampler of 1,048,573 Hz to 16 kHz has a kernel for each of 16,000 phases.
    const fast = createFlac(new Int16Array(9))
    fast.set([0xff, 0xff, 0xd0], 18)
    for (const bad of [...cut, alaw, silent, slow, fast, createFlac(new Int16Array(9)).subarray(0, 41)])
      await expect(read(new Uint8Array(bad), 'audio')).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN', { wanted: 'audio' }))
  })
})

it('answers altered files with a description or a coded refusal, and nothing else', async () => {
  const files = [
    ...(await Promise.all((['png', 'jpeg', 'webp'] as const).map((format) => picture().toFormat(format).toBuffer()))),
    createWav(new Float32Array(64)).data,
    createMp3(2),
    createFlac(new Int16Array(64)),
  ]
  const alteration = fc.tuple(fc.nat(1_000), fc.nat(255))
  await fc.assert(
    fc.asyncProperty(fc.nat(files.length - 1), fc.array(alteration, { maxLength: 8 }), fc.nat(1_000), async (which, alterations, cut) => {
      const data = Uint8Array.from(files[which] as Uint8Array)
      for (const [at, value] of alterations) data[at % data.length] = value
      const answer = await read(data.subarray(0, data.length - (cut % 9)), which < 3 ? 'image' : 'audio').catch((error: unknown) => error)
      if (answer instanceof Error) expect(answer).toBeInstanceOf(CuckooError)
      else expect(answer).toMatchObject({ sha256: expect.stringMatching(/^0x[0-9a-f]{64}$/) })
    }),
    { numRuns: 300 },
  )
})
