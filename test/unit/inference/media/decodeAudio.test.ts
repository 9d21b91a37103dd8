import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeAudio } from '../../../../src/inference/media/decodeAudio.ts'
import { createResampler } from '../../../../src/inference/media/resample.ts'
import { createFlac, createMp3, createTones, createWav, mp3FrameSamples } from '../../../support/mediaFiles.ts'

const options = { sampleRate: 16_000, maxSeconds: 10, assertRunning: () => undefined }
const tone = createTones(16_000, [[440, 0.5]])
const toLargestDifference = (a: Float32Array, b: Float32Array) => a.reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] as number))), 0)
const refused = (code: string, facts: object = {}) => expect.objectContaining({ code, facts: expect.objectContaining(facts) })

/** The part of the energy within `width` Hz of `hertz`, by a Fourier transform of the middle second. */
function measureTone(samples: Float32Array, sampleRate: number, hertz: number, width: number): number {
  const middle = samples.subarray(Math.floor((samples.length - sampleRate) / 2)).subarray(0, sampleRate)
  const total = middle.reduce((sum, sample) => sum + sample * sample, 0)
  let near = 0
  for (let bin = Math.floor(hertz - width); bin <= hertz + width; bin++) {
    let [real, imaginary] = [0, 0]
    for (const [index, sample] of middle.entries()) {
      const angle = (2 * Math.PI * bin * index) / sampleRate
      real += sample * Math.cos(angle)
      imaginary += sample * Math.sin(angle)
    }
    near += (2 * (real * real + imaginary * imaginary)) / sampleRate
  }
  return near / total
}

// The decoders print what they find wrong.
beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(() => vi.restoreAllMocks())

describe('WAV', () => {
  it.each([
    [{ bits: 8 }, 0.01],
    [{ bits: 16 }, 1e-4],
    [{ bits: 24 }, 1e-6],
    [{ bits: 32 }, 1e-6],
    [{ bits: 32, float: true }, 0],
    [{ bits: 16, channels: 3 }, 1e-4],
  ] as const)('gives its samples back: %o', async (wav, tolerance) => {
    const samples = await decodeAudio('audio/wav', createWav(tone, wav).data, options)
    expect(samples).toHaveLength(tone.length)
    expect(toLargestDifference(samples, tone)).toBeLessThanOrEqual(tolerance)
  })

  it('of more than its header said, or may, is refused', async () => {
    await expect(decodeAudio('audio/wav', createWav(tone).data, { ...options, maxSeconds: 0.4 })).rejects.toThrow(
      refused('CUCKOO_MEDIA_TOO_LARGE', { what: 'seconds', limit: 0.4 }),
    )
    await expect(decodeAudio('audio/wav', createWav(tone).data.subarray(0, 40), options)).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN'))
  })
})

describe('FLAC', () => {
  const integers = Int16Array.from(tone, (sample) => Math.round(sample * 32_767))

  // 1,600 and 4,000 samples are lengths whose last frame the parser that comes with the decoder loses
  it.each([1, 1_600, 4_000, 4_096, 8_000])('gives all of %i samples back', async (length) => {
    const samples = await decodeAudio('audio/flac', createFlac(integers.subarray(0, length)), options)
    expect(samples).toHaveLength(length)
    expect(toLargestDifference(samples, tone)).toBeLessThan(1e-4)
  })

  it('that goes on longer than its header says is found out while decoding', async () => {
    const lying = createFlac(new Int16Array(160_000), { announced: 100 })
    await expect(decodeAudio('audio/flac', lying, { ...options, maxSeconds: 1 })).rejects.toThrow(refused('CUCKOO_MEDIA_TOO_LARGE', { size: 2 }))
    await expect(decodeAudio('audio/flac', lying, { ...options, maxSeconds: 60 })).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN'))
  })

  it('that is cut or altered anywhere is refused', async () => {
    const flac = createFlac(integers)
    for (let at = 50; at < flac.length; at += 997) {
      const altered = Uint8Array.from(flac)
      altered[at] = (altered[at] as number) ^ 1
      await expect(decodeAudio('audio/flac', altered, options), `altered at ${at}`).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN'))
      await expect(decodeAudio('audio/flac', flac.subarray(0, at), options), `cut at ${at}`).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN'))
    }
  })
})

describe('MP3', () => {
  it('gives its tone and its length', async () => {
    const frames = 80
    const samples = await decodeAudio('audio/mpeg', createMp3(frames), options)
    expect(Math.abs(samples.length - (frames * mp3FrameSamples * 16_000) / 44_100)).toBeLessThan(1)
    expect(measureTone(samples, 16_000, 26.5 * (44_100 / 1_152), 80)).toBeGreaterThan(0.9)
    expect(measureTone(samples, 16_000, 2_000, 80)).toBeLessThan(0.01)
  })

  it('of frames full of noise ends, whatever comes out', async () => {
    const noisy = createMp3(200)
    let state = 1
    for (let at = 0; at < noisy.length; at++) {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      if (at % 417 >= 4) noisy[at] = state >> 16
    }
    const samples = await decodeAudio('audio/mpeg', noisy, options).catch((error: unknown) => error)
    if (samples instanceof Error) expect(samples).toEqual(refused('CUCKOO_MEDIA_UNKNOWN'))
    else expect((samples as Float32Array).length).toBeLessThan(16_000 * options.maxSeconds)
  })

  it('longer than allowed is refused', async () => {
    await expect(decodeAudio('audio/mpeg', createMp3(2_000), { ...options, maxSeconds: 2 })).rejects.toThrow(refused('CUCKOO_MEDIA_TOO_LARGE'))
  })
})

it('ends between parts when it is asked to', async () => {
  const stop = new Error('enough')
  const assertRunning = vi.fn(() => {
    if (assertRunning.mock.calls.length === 3) throw stop
  })
  await expect(decodeAudio('audio/flac', createFlac(new Int16Array(160_000)), { ...options, assertRunning })).rejects.toBe(stop)
  expect(assertRunning).toHaveBeenCalledTimes(3)
})

describe('resampling', () => {
  it.each([
    [44_100, 16_000],
    [48_000, 16_000],
    [8_000, 16_000],
    [22_050, 16_000],
    [16_000, 24_000],
  ])('keeps a tone of 1 kHz from %i Hz to %i Hz, in pieces of any length', (from, to) => {
    const resampler = createResampler(from, to)
    const input = createTones(from, [[1_000, 0.5]])
    const pieces: number[] = []
    for (let start = 0, length = 1; start < input.length; start += length, length = (length * 7) % 1_013)
      pieces.push(...resampler.push(input.slice(start, start + length)))
    const output = Float32Array.from([...pieces, ...resampler.flush()])
    const expected = createTones(to, [[1_000, 0.5]])
    expect(output).toHaveLength(expected.length)
    expect(toLargestDifference(output.subarray(300, -300), expected.subarray(300, -300))).toBeLessThan(1e-4)
  })

  it('removes what the lower rate cannot hold', () => {
    const resampler = createResampler(48_000, 16_000)
    const output = [...resampler.push(createTones(48_000, [[11_000, 0.5]])), ...resampler.flush()].slice(300, -300)
    expect(Math.max(...output.map(Math.abs))).toBeLessThan(1e-3)
  })
})
