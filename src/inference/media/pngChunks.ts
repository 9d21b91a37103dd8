import { crc32 } from 'node:zlib'

const signatureBytes = 8
/** a chunk's length, type and checksum, around its content */
const frameBytes = 12

/**
 * True when a PNG is there to its end: chunk by chunk (length, type, content, checksum) to IEND (PNG third edition, section 5.3).
 * `visit` sees each chunk, its type as the number of its four letters, and ends the walk with false.
 */
export function walkPngChunks(data: Buffer, visit: (type: number, start: number, end: number) => boolean = () => true): boolean {
  for (let position = signatureBytes; position + frameBytes <= data.length; ) {
    const start = position + 8
    const end = start + data.readUInt32BE(position)
    if (end + 4 > data.length) return false
    const type = data.readUInt32BE(position + 4)
    if (!visit(type, start, end)) return false
    if (type === ending) return true
    position = end + 4
  }
  return false
}

const toNumber = (type: string) => Buffer.from(type, 'latin1').readUInt32BE()
const [header, ending] = [toNumber('IHDR'), toNumber('IEND')]
const texts = ['tEXt', 'iTXt'].map(toNumber)
/** What does not change how large a viewer shows an image. */
const plain = new Set([header, ending, ...texts, ...['PLTE', 'tRNS', 'IDAT'].map(toNumber)])
/** More are read by the decoder, off the event loop. */
const maxTexts = 32
/** Bits per sample by colour type (section 11.2.1). */
const sampleBits: Readonly<Record<number, readonly number[]>> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] }

/**
 * The size of a whole PNG as its own header has it. Null where only a decoder can say how large it is shown, or what is wrong with
 * it: a header that is not sound, or a chunk that can carry an orientation.
 */
export function readPlainPngSize(data: Buffer): { width: number; height: number } | null {
  let [count, textCount] = [0, 0]
  const isPlain = walkPngChunks(data, (type, start, end) => {
    if (!plain.has(type) || (type === header) !== (count++ === 0)) return false
    if (!texts.includes(type)) return true
    // ImageMagick keeps EXIF in such texts, and decoders read it.
    return ++textCount <= maxTexts && data.toString('latin1', start, Math.min(end, start + 11)) !== 'Raw profile'
  })
  return isPlain ? readHeader(data) : null
}

/** Size in an IHDR that comes first; null where it is not sound. */
function readHeader(data: Buffer): { width: number; height: number } | null {
  const [bits, colour, compression, filter, interlace] = data.subarray(24, 29) as unknown as [number, number, number, number, number]
  const [width, height] = [data.readUInt32BE(16), data.readUInt32BE(20)]
  const isSize = (value: number) => value > 0 && value < 2 ** 31
  const isWhole = data.readUInt32BE(8) === 13 && crc32(data.subarray(12, 29)) === data.readUInt32BE(29)
  const isKnown = sampleBits[colour]?.includes(bits) === true && compression === 0 && filter === 0 && interlace <= 1
  return isWhole && isKnown && isSize(width) && isSize(height) ? { width, height } : null
}
