import { mediaUnknown } from '../../errors/media.ts'
import { readWavHeader, type WavHeader } from './readWavHeader.ts'

/** Samples per channel that are read at a time. */
const partSamples = 2 ** 16

/**
 * The samples of a WAV file in parts, float32[samples] per channel, -1 to 1.
 * @throws CUCKOO_MEDIA_UNKNOWN when its header is none
 */
export function* readWavSamples(data: Uint8Array): Generator<{ channels: Float32Array[]; sampleRate: number }> {
  const header = readWavHeader(data)
  if ('problem' in header) throw mediaUnknown({ wanted: 'audio', ...header })
  const { channels, bitsPerSample, dataStart, dataBytes, sampleRate } = header
  const sampleBytes = bitsPerSample / 8
  const view = new DataView(data.buffer, data.byteOffset + dataStart, dataBytes)
  const read = toSampleReader(header, view)
  const total = dataBytes / (channels * sampleBytes)
  for (let first = 0; first < total; first += partSamples) {
    const length = Math.min(partSamples, total - first)
    const toSamples = (channel: number) => Float32Array.from({ length }, (_, index) => read(((first + index) * channels + channel) * sampleBytes))
    yield { channels: Array.from({ length: channels }, (_, channel) => toSamples(channel)), sampleRate }
  }
}

function toSampleReader({ encoding, bitsPerSample }: WavHeader, view: DataView): (offset: number) => number {
  if (encoding === 'float')
    return bitsPerSample === 64 ? (offset) => toFinite(view.getFloat64(offset, true)) : (offset) => toFinite(view.getFloat32(offset, true))
  if (bitsPerSample === 8) return (offset) => (view.getUint8(offset) - 128) / 128
  if (bitsPerSample === 16) return (offset) => view.getInt16(offset, true) / 2 ** 15
  if (bitsPerSample === 24) return (offset) => (view.getInt8(offset + 2) * 65_536 + view.getUint16(offset, true)) / 2 ** 23
  return (offset) => view.getInt32(offset, true) / 2 ** 31
}

/** A NaN would spread over the whole spectrum. */
function toFinite(sample: number): number {
  return Number.isFinite(sample) ? sample : 0
}
