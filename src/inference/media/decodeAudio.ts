import type { AudioMedia } from '../../domain/media.ts'
import { mediaTooLarge, mediaUnknown } from '../../errors/media.ts'
import { listFlacFrames } from './flacFrames.ts'
import { listMpegFrames } from './mpegFrames.ts'
import { readFlacHeader } from './readFlacHeader.ts'
import { createResampler } from './resample.ts'
import { readWavSamples } from './wavSamples.ts'

/** Channels of equal length, as a decoder gives them. */
interface DecodedPart {
  channels: Float32Array[]
  sampleRate: number
}

export interface AudioDecoding {
  /** Hz of the result */
  sampleRate: number
  maxSeconds: number
  /** called between parts of the audio; what it throws ends the decoding */
  assertRunning: () => void
}

/** MPEG bytes decoded at a time: seconds of audio, 12 MB of samples at most (frames of 24 bytes). */
const mpegPartBytes = 2 ** 16
/**
 * The audio as mono float32[samples] at `sampleRate`: the mean of its channels. A header that lies about the length is found out
 * while decoding.
 * @throws CUCKOO_MEDIA_UNKNOWN when it cannot be decoded to its end; CUCKOO_MEDIA_TOO_LARGE when it is longer than allowed
 */
export async function decodeAudio(type: AudioMedia['type'], data: Uint8Array, options: AudioDecoding): Promise<Float32Array> {
  const { sampleRate, maxSeconds, assertRunning } = options
  const parts: Float32Array[] = []
  let resampler: ReturnType<typeof createResampler> | null = null
  let inputRate = 0
  let seconds = 0
  for await (const part of decodeParts(type, data)) {
    assertRunning()
    if (inputRate !== 0 && part.sampleRate !== inputRate) throw mediaUnknown({ wanted: 'audio', problem: 'its sample rate changes on the way' })
    inputRate = part.sampleRate
    seconds += (part.channels[0]?.length ?? 0) / inputRate
    if (seconds > maxSeconds) throw mediaTooLarge({ what: 'seconds', size: Math.ceil(seconds), limit: maxSeconds })
    resampler ??= createResampler(inputRate, sampleRate)
    parts.push(resampler.push(toMono(part.channels)))
  }
  if (resampler === null || seconds === 0) throw mediaUnknown({ wanted: 'audio', problem: 'no samples could be decoded' })
  parts.push(resampler.flush())
  return joinParts(parts)
}

function decodeParts(type: AudioMedia['type'], data: Uint8Array): AsyncIterable<DecodedPart> | Iterable<DecodedPart> {
  if (type === 'audio/wav') return readWavSamples(data)
  return type === 'audio/mpeg' ? decodeMpeg(data) : decodeFlac(data)
}

async function* decodeMpeg(data: Uint8Array): AsyncGenerator<DecodedPart> {
  const { MPEGDecoder } = await import('mpg123-decoder')
  const decoder = new MPEGDecoder()
  await decoder.ready
  try {
    const frames = [...listMpegFrames(data)]
    let start = 0
    for (const [index, frame] of frames.entries()) {
      const next = frames[index + 1]
      // Frames that lie side by side go in together; tags between them never reach the decoder.
      if (next !== undefined && next.start === frame.end && frame.end - (frames[start]?.start ?? 0) < mpegPartBytes) continue
      const { channelData, sampleRate, errors } = await orRefuse(() => decoder.decode(data.subarray(frames[start]?.start, frame.end)))
      if (errors.length > 0) throw mediaUnknown({ wanted: 'audio', problem: 'a frame of it is broken' })
      if ((channelData[0]?.length ?? 0) > 0) yield { channels: channelData, sampleRate }
      start = index + 1
    }
  } finally {
    decoder.free()
  }
}

async function* decodeFlac(data: Uint8Array): AsyncGenerator<DecodedPart> {
  const { FLACDecoder } = await import('@wasm-audio-decoders/flac')
  const decoder = new FLACDecoder()
  await decoder.ready
  try {
    let samples = 0
    for (const frame of listFlacFrames(data)) {
      if (frame === undefined) throw mediaUnknown({ wanted: 'audio', problem: 'it is cut or altered' })
      const { channelData, sampleRate, errors, samplesDecoded } = await orRefuse(() => decoder.decodeFrames([frame]))
      if (errors.length > 0 || samplesDecoded === 0) throw mediaUnknown({ wanted: 'audio', problem: 'a frame of it is broken' })
      samples += samplesDecoded
      yield { channels: channelData, sampleRate }
    }
    const header = readFlacHeader(data)
    if ('problem' in header || header.samples !== samples) throw mediaUnknown({ wanted: 'audio', problem: 'it is not as long as its header says' })
  } finally {
    decoder.free()
  }
}

/** What a decoder gives; a trap of its WebAssembly is the file's fault. */
async function orRefuse<T>(decode: () => T | Promise<T>): Promise<T> {
  try {
    return await decode()
  } catch (error) {
    throw mediaUnknown({ wanted: 'audio', problem: 'its decoder gave up' }, { cause: error })
  }
}

/** float32[samples]: the mean of the channels. */
function toMono(channels: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(0), ...others] = channels
  if (others.length === 0) return first
  return first.map((sample, index) => others.reduce((sum, channel) => sum + (channel[index] as number), sample) / channels.length)
}

function joinParts(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
  let position = 0
  for (const part of parts) {
    joined.set(part, position)
    position += part.length
  }
  return joined
}
