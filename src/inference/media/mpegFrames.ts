/** One MPEG audio frame: where it lies and what it holds. */
export interface MpegFrame {
  start: number
  /** after its last byte; beyond the data where the data were cut */
  end: number
  /** samples per channel */
  samples: number
  sampleRate: number
}

// ISO/IEC 11172-3 and 13818-3: kbit/s by layer and bitrate index. Free format (index 0) has no length in its header and is refused.
const bitrates = {
  mpeg1: [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  mpeg2: [
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ],
}
const sampleRates = [44_100, 48_000, 32_000] as const

/** Bytes of a file that are no frame, after its ID3v2 tag: bounds the search of files made to be searched for long. */
const maxStrayBytes = 2 ** 18

/** The frame whose header lies at `start`, undefined where there is none. */
export function findMpegFrame(data: Uint8Array, start: number): MpegFrame | undefined {
  if (data[start] !== 0xff || start + 4 > data.length) return undefined
  const [second, third] = [data[start + 1] as number, data[start + 2] as number]
  if (second < 0xe0) return undefined
  const version = (second >> 3) & 3
  const layer = 4 - ((second >> 1) & 3)
  const baseRate = sampleRates[(third >> 2) & 3]
  if (version === 1 || layer === 4 || baseRate === undefined) return undefined
  const kbits = bitrates[version === 3 ? 'mpeg1' : 'mpeg2'][layer - 1]?.[third >> 4]
  if (kbits === undefined || kbits === 0) return undefined
  // MPEG 2 halves the rates of MPEG 1, MPEG 2.5 quarters them.
  const sampleRate = baseRate / (version === 3 ? 1 : version === 2 ? 2 : 4)
  const samples = layer === 1 ? 384 : layer === 3 && version !== 3 ? 576 : 1152
  const slotBytes = layer === 1 ? 4 : 1
  const padding = (third >> 1) & 1
  const bytes = (Math.floor(((samples / 8) * kbits * 1000) / sampleRate / slotBytes) + padding) * slotBytes
  return { start, end: start + bytes, samples, sampleRate }
}

/**
 * The frames of an MP3 in order. What lies between frames (ID3 and APE tags, padding) is left out, and what comes after too much of
 * it is not looked at; a frame counts where another of its sample rate follows it, or the end.
 */
export function* listMpegFrames(data: Uint8Array): Generator<MpegFrame> {
  let position = skipId3(data)
  let strayBytes = 0
  let previous: MpegFrame | undefined
  let frame = findMpegFrame(data, position)
  while (strayBytes < maxStrayBytes && position + 4 <= data.length) {
    const next = frame && findMpegFrame(data, frame.end)
    if (frame !== undefined && (frame.end === data.length || next?.sampleRate === frame.sampleRate || isLast(previous, frame))) {
      yield frame
      position = frame.end
      previous = frame
      frame = next
    } else {
      position++
      strayBytes++
      frame = findMpegFrame(data, position)
    }
  }
}

/** The frame that follows a known one stands before tags or the cut end. */
function isLast(previous: MpegFrame | undefined, frame: MpegFrame): boolean {
  return previous !== undefined && previous.end === frame.start && previous.sampleRate === frame.sampleRate
}

/** Where the audio starts: an ID3v2 tag names its length in four bytes of seven bits (id3.org, ID3v2.4.0 section 3.1). */
function skipId3(data: Uint8Array): number {
  if (data.length < 10 || data[0] !== 0x49 || data[1] !== 0x44 || data[2] !== 0x33) return 0
  const bytes = data.subarray(6, 10).reduce((size, byte) => size * 128 + (byte & 127), 0)
  return 10 + bytes
}
