import { findRateProblem, type HeaderProblem } from './readWavHeader.ts'

/** What STREAMINFO, the first block of a FLAC file, says (RFC 9639 section 8.2). */
export interface FlacHeader {
  sampleRate: number
  channels: number
  /** per channel */
  samples: number
}

/** The stream information of a FLAC file, or what is wrong with it. */
export function readFlacHeader(data: Uint8Array): FlacHeader | HeaderProblem {
  // 'fLaC', 4 bytes of block header (type 0: STREAMINFO), 34 of STREAMINFO
  if (data.length < 42 || ((data[4] as number) & 127) !== 0) return { problem: 'its stream information is missing' }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const packed = view.getUint32(18, false)
  const sampleRate = packed >>> 12
  const channels = ((packed >>> 9) & 7) + 1
  const samples = (view.getUint8(21) & 15) * 2 ** 32 + view.getUint32(22, false)
  if (samples === 0) return { problem: 'its header does not tell how long it lasts' }
  return findRateProblem(sampleRate) ?? { sampleRate, channels, samples }
}
