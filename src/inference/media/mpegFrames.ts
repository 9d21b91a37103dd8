/** One MPEG audio frame: where it lies and what it holds. */
export interface MpegFrame {
  start: number
  /** after its last byte; beyond the data where the data were cut */
  end: number
  /** samples per channel */
  samples: number
  sampleRate: number
}

// ISO/IEC 11172-3 and 13818-3: kbit/s by bitrate index. Free format (index 0) has no length in its header and is refused.
const bitrates = {
  'v1 layer 1': [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  'v1 layer 2': [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  'v1 layer 3': [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  'v2 layer 1': [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  'v2 layer 2': [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  'v2 layer 3': [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const
const sampleRates = [44_100, 48_000, 32_000] as const

/** The frame whose header lies at `start`, undefined where there is none. */
export function findMpegFrame(data: Uint8Array, start: number): MpegFrame | undefined {
  const [sync = 0, second = 0, third = 0] = data.subarray(start, start + 3)
  if (sync !== 0xff || second < 0xe0 || start + 4 > data.length) return undefined
  const version = (second >> 3) & 3
  const layer = 4 - ((second >> 1) & 3)
  const baseRate = sampleRates[(third >> 2) & 3]
  if (version === 1 || layer === 4 || baseRate === undefined) return undefined
  const kbits = bitrates[`${version === 3 ? 'v1' : 'v2'} layer ${layer as 1 | 2 | 3}`][third >> 4]
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
 * All frames of an MP3 in order. What lies between frames (ID3 and APE tags, padding) is left out; a frame counts where another
 * of its sample rate follows it, or the end.
 */
export function listMpegFrames(data: Uint8Array): MpegFrame[] {
  const frames: MpegFrame[] = []
  let position = skipId3(data)
  while (position + 4 <= data.length) {
    const frame = findMpegFrame(data, position)
    if (frame !== undefined && (isFollowed(data, frame) || isLast(frames, frame))) {
      frames.push(frame)
      position = frame.end
    } else position++
  }
  return frames
}

function isFollowed(data: Uint8Array, frame: MpegFrame): boolean {
  return frame.end === data.length || findMpegFrame(data, frame.end)?.sampleRate === frame.sampleRate
}

/** The frame that follows a known one stands before tags or the cut end. */
function isLast(frames: readonly MpegFrame[], frame: MpegFrame): boolean {
  const previous = frames.at(-1)
  return previous !== undefined && previous.end === frame.start && previous.sampleRate === frame.sampleRate
}

/** Where the audio starts: an ID3v2 tag names its length in four bytes of seven bits (id3.org, ID3v2.4.0 section 3.1). */
function skipId3(data: Uint8Array): number {
  if (data.length < 10 || data[0] !== 0x49 || data[1] !== 0x44 || data[2] !== 0x33) return 0
  const bytes = data.subarray(6, 10).reduce((size, byte) => size * 128 + (byte & 127), 0)
  return 10 + bytes
}
