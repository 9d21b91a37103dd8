import { webcrypto } from 'node:crypto'
import { sha256 } from '../../domain/canonical.ts'
import type { MediaReader } from '../../domain/enginePort.ts'
import { toHex } from '../../domain/hex.ts'
import type { AudioMedia, ImageMedia, Media } from '../../domain/media.ts'
import type { MediaClass } from '../../domain/taskKinds.ts'
import { imageTooNarrow, mediaTooLarge, mediaUnknown } from '../../errors/media.ts'
import { findMediaType } from './findMediaType.ts'
import { isWholeImage } from './isWholeImage.ts'
import { listMpegFrames } from './mpegFrames.ts'
import { readPlainPngSize } from './pngChunks.ts'
import { readFlacHeader } from './readFlacHeader.ts'
import { type HeaderProblem, readWavHeader } from './readWavHeader.ts'

/**
 * The longer side by the shorter. Models that scale the shorter side to theirs (384 pixels, say) would make of 1 × 16,384 pixels,
 * which is a small image, one of 2 billion.
 */
const maxAspect = 50

type ImageSize = Pick<ImageMedia, 'width' | 'height'>

/**
 * A reader of strangers' media: type, size and SHA-256 with no pixel or sample decoded. The width and height are those that a
 * viewer shows, after the EXIF orientation; of animations the first frame counts. A plain PNG says so itself; sharp, which loads
 * with the first image that needs it, reads the others.
 * @example await createMediaReader().read(png, 'image', { maxPixels: 16_777_216, maxSeconds: 0 })
 * // { sha256: '0x4a…', bytes: 5120, type: 'image/png', width: 64, height: 64 }
 */
export function createMediaReader(): MediaReader {
  return {
    findClass: (data) => {
      const type = findMediaType(data)
      return type === undefined ? null : toClass(type)
    },
    read: async (data, wanted, limits) => {
      const type = findMediaType(data)
      if (type === undefined || toClass(type) !== wanted)
        throw mediaUnknown({ wanted, problem: type === undefined ? 'its first bytes are of no type that is read here' : `it is ${type}` })
      const describe = async () => (isImageType(type) ? readImage(type, data, limits.maxPixels) : readAudio(type, data, limits.maxSeconds))
      const [described, hash] = await Promise.all([describe(), hashMedia(data)])
      return { sha256: hash, bytes: data.length, ...described }
    },
  }
}

function toClass(type: Media['type']): MediaClass {
  return isImageType(type) ? 'image' : 'audio'
}

function isImageType(type: Media['type']): type is ImageMedia['type'] {
  return type.startsWith('image/')
}

/** What takes less time to hash than to hand to another thread. */
const smallBytes = 131_072

/** Off the event loop where it is large: 25 MiB would hold it up for 50 ms. */
async function hashMedia(data: Uint8Array): Promise<Media['sha256']> {
  if (data.length <= smallBytes) return sha256(data)
  return toHex(new Uint8Array(await webcrypto.subtle.digest('SHA-256', data as Uint8Array<ArrayBuffer>)))
}

async function readImage(type: ImageMedia['type'], data: Uint8Array, maxPixels: number): Promise<Omit<ImageMedia, 'sha256' | 'bytes'>> {
  const plain = type === 'image/png' ? readPlainPngSize(Buffer.from(data.buffer, data.byteOffset, data.byteLength)) : null
  const size = plain ?? (await readImageSize(type, data))
  assertImageSize(size, maxPixels)
  if (plain === null && !isWholeImage(type, data)) throw mediaUnknown({ wanted: 'image', problem: 'the file is cut' })
  return { type, ...size }
}

async function readImageSize(type: ImageMedia['type'], data: Uint8Array): Promise<ImageSize> {
  const { default: sharp } = await import('sharp')
  try {
    // Only the header is read: the limit is ours to name, in an error that tells the size.
    const { autoOrient, format } = await sharp(data, { limitInputPixels: false }).metadata()
    if (`image/${format}` !== type) throw new TypeError(`sharp reads it as ${format}`)
    return { width: autoOrient.width, height: autoOrient.height }
  } catch (error) {
    throw mediaUnknown({ wanted: 'image', problem: `its ${type.slice(6).toUpperCase()} header is broken` }, { cause: error })
  }
}

/** @throws CUCKOO_MEDIA_TOO_LARGE, CUCKOO_MEDIA_TOO_NARROW */
function assertImageSize({ width, height }: ImageSize, maxPixels: number): void {
  if (width * height > maxPixels) throw mediaTooLarge({ what: 'pixels', size: width * height, limit: maxPixels })
  if (Math.max(width, height) > maxAspect * Math.min(width, height)) throw imageTooNarrow({ width, height, limit: maxAspect })
}

function readAudio(type: AudioMedia['type'], data: Uint8Array, maxSeconds: number): Omit<AudioMedia, 'sha256' | 'bytes'> {
  const found = findSeconds(type, data, maxSeconds)
  if (typeof found !== 'number') throw mediaUnknown({ wanted: 'audio', ...found })
  if (found > maxSeconds) throw mediaTooLarge({ what: 'seconds', size: Math.ceil(found), limit: maxSeconds })
  return { type, durationMs: Math.ceil(found * 1_000) }
}

/** How long it lasts, or what is wrong with it. An MP3 is measured until it is longer than allowed. */
function findSeconds(type: AudioMedia['type'], data: Uint8Array, maxSeconds: number): number | HeaderProblem {
  if (type === 'audio/mpeg') {
    let seconds = 0
    for (const { samples, sampleRate, end } of listMpegFrames(data)) {
      if (end > data.length) return { problem: 'its last frame is cut' }
      seconds += samples / sampleRate
      // Half a million frames can come before the limit, and a million after it: those are not worth the time.
      if (seconds > maxSeconds) break
    }
    return seconds === 0 ? { problem: 'it has no MPEG audio frames' } : seconds
  }
  if (type === 'audio/wav') {
    const header = readWavHeader(data)
    if ('problem' in header) return header
    return header.dataBytes / ((header.channels * header.bitsPerSample) / 8) / header.sampleRate
  }
  const header = readFlacHeader(data)
  return 'problem' in header ? header : header.samples / header.sampleRate
}
