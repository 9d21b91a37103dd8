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

/** A mono FLAC of 16 bits at 16 kHz with nothing predicted (RFC 9639): frames of 4,096 samples; `announced` is the number of samples the header names. */
export function createFlac(samples: Int16Array, { announced = samples.length } = {}): Uint8Array {
  const blockSize = 4_096
  const info = Buffer.alloc(42)
  info.write('fLaC', 0)
  // the last metadata block, STREAMINFO, 34 bytes
  info.writeUInt32BE(0x80000022, 4)
  info.writeUInt16BE(blockSize, 8)
  info.writeUInt16BE(blockSize, 10)
  // 20 bits of sample rate, channels - 1, bits - 1, 36 bits of samples
  info.writeUInt32BE(16_000 * 2 ** 12 + ((15 << 4) >>> 0), 18)
  info.writeUInt32BE(announced, 22)
  const frames = Array.from({ length: Math.ceil(samples.length / blockSize) }, (_, index) =>
    toFlacFrame(samples.subarray(index * blockSize, (index + 1) * blockSize), index),
  )
  return new Uint8Array(Buffer.concat([info, ...frames]))
}

function toFlacFrame(samples: Int16Array, index: number): Buffer {
  // fixed block size, which follows in 16 bits; 16 kHz; mono; 16 bits
  const header = Buffer.from([0xff, 0xf8, 0x75, 0x08, index, (samples.length - 1) >> 8, (samples.length - 1) & 255])
  const body = Buffer.alloc(1 + samples.length * 2)
  // a verbatim subframe
  body.writeUInt8(2, 0)
  for (const [at, sample] of samples.entries()) body.writeInt16BE(sample, 1 + at * 2)
  const frame = Buffer.concat([header, Buffer.from([toChecksum(header, 8, 0x07)]), body])
  const checksum = Buffer.alloc(2)
  checksum.writeUInt16BE(toChecksum(frame, 16, 0x8005))
  return Buffer.concat([frame, checksum])
}

function toChecksum(data: Uint8Array, bits: 8 | 16, polynomial: number): number {
  const top = 1 << (bits - 1)
  let value = 0
  for (const byte of data) {
    value ^= byte << (bits - 8)
    for (let bit = 0; bit < 8; bit++) value = (value & top ? (value << 1) ^ polynomial : value << 1) & (2 ** bits - 1)
  }
  return value
}

/** Bytes of one MP3 frame of {@link createMp3}, and its samples. */
export const mp3FrameBytes = 417
export const mp3FrameSamples = 1_152

/**
 * A mono MP3 at 44.1 kHz and 128 kbit/s: frames in which one of the 576 frequency lines sounds, so that the tone is near
 * (line + 0.5) × 38.28 Hz (ISO/IEC 11172-3; Huffman table 1 says `1` for a silent pair and `01` and a sign for a loud even line).
 */
export function createMp3(frames: number, line = 26): Uint8Array {
  const pairs = line / 2 + 1
  const sounds = `${'1'.repeat(pairs - 1)}010`
  const toBits = (value: number, width: number) => value.toString(2).padStart(width, '0')
  // length of the granule's bits, pairs, gain, then no scale factors, long windows, table 1 three times
  const granule = `${toBits(sounds.length, 12)}${toBits(pairs, 9)}${toBits(200, 8)}${toBits(0, 5)}${toBits(1, 5).repeat(3)}${toBits(0, 10)}`
  const bits = `${toBits(0, 18)}${granule}${granule}${sounds}${sounds}`
  const body = Buffer.alloc(mp3FrameBytes - 4)
  for (let at = 0; at < bits.length; at += 8) body.writeUInt8(Number.parseInt(bits.slice(at, at + 8).padEnd(8, '0'), 2), at / 8)
  const frame = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0xc0]), body])
  return new Uint8Array(Buffer.concat(Array.from({ length: frames }, () => frame)))
}
