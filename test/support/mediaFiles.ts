/** Media for tests, made here: pictures of plain colours, tones as WAV, FLAC and MP3. */
import { createHash } from 'node:crypto'
import { encode } from 'fast-png'
import type { AudioMedia, ImageMedia } from '../../src/domain/media.ts'

const toSha256 = (data: Uint8Array) => `0x${createHash('sha256').update(data).digest('hex')}` as const

/** An RGB PNG; `toPixel` gives the colour, 0 to 255, at a column and row. */
export function createPicture(width: number, height: number, toPixel: (x: number, y: number) => readonly number[]): { media: ImageMedia; data: Uint8Array } {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, index) => {
    const pixel = Math.floor(index / 3)
    return toPixel(pixel % width, Math.floor(pixel / width))[index % 3] as number
  })
  const data = encode({ width, height, data: pixels, channels: 3, depth: 8 })
  return { media: { sha256: toSha256(data), bytes: data.length, type: 'image/png', width, height }, data }
}

/** float32 samples: one tone after another, each [hertz, seconds]. */
export function createTones(sampleRate: number, tones: readonly (readonly [hertz: number, seconds: number])[], amplitude = 0.5): Float32Array {
  return Float32Array.from(
    tones.flatMap(([hertz, seconds]) =>
      Array.from({ length: Math.round(seconds * sampleRate) }, (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / sampleRate)),
    ),
  )
}

export interface WavOptions {
  sampleRate?: number
  channels?: number
  bits?: 8 | 16 | 24 | 32
  float?: boolean
}

/** A WAV whose channels all hold `samples`. */
export function createWav(
  samples: Float32Array,
  { sampleRate = 16_000, channels = 1, bits = 16, float = false }: WavOptions = {},
): { media: AudioMedia; data: Uint8Array } {
  const frame = (channels * bits) / 8
  const wav = Buffer.alloc(44 + samples.length * frame)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.write('WAVEfmt ', 8)
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(float ? 3 : 1, 20)
  wav.writeUInt16LE(channels, 22)
  wav.writeUInt32LE(sampleRate, 24)
  wav.writeUInt32LE(sampleRate * frame, 28)
  wav.writeUInt16LE(frame, 32)
  wav.writeUInt16LE(bits, 34)
  wav.write('data', 36)
  wav.writeUInt32LE(samples.length * frame, 40)
  for (const [index, sample] of samples.entries())
    for (let channel = 0; channel < channels; channel++) {
      const at = 44 + index * frame + (channel * bits) / 8
      if (float) wav.writeFloatLE(sample, at)
      else if (bits === 8) wav.writeUInt8(Math.round(sample * 127) + 128, at)
      else wav.writeIntLE(Math.round(sample * (2 ** (bits - 1) - 1)), at, bits / 8)
    }
  const data = new Uint8Array(wav)
  return { media: { sha256: toSha256(data), bytes: data.length, type: 'audio/wav', durationMs: Math.ceil((samples.length / sampleRate) * 1_000) }, data }
}
