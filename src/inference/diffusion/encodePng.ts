import { crc32 } from 'node:zlib'
import { encode } from 'fast-png'

/** Bytes of the signature and the header chunk, after which a PNG's texts may stand. */
const headBytes = 8 + 25

/**
 * An RGB PNG with texts by keyword (1 to 79 Latin-1 characters); the same input gives the same bytes. `pixels`: uint8[height, width, 3].
 * Texts are tEXt where Latin-1 holds them, as most tools read, else iTXt (PNG third edition, sections 11.3.3.2 and 11.3.3.4).
 */
export function encodePng({ width, height, pixels }: { width: number; height: number; pixels: Uint8Array }, texts: Record<string, string>): Uint8Array {
  const plain = encode({ width, height, data: pixels, channels: 3, depth: 8 })
  const chunks = Object.entries(texts).map(([keyword, text]) => encodeText(keyword, text))
  return new Uint8Array(Buffer.concat([plain.subarray(0, headBytes), ...chunks, plain.subarray(headBytes)]))
}

function encodeText(keyword: string, text: string): Buffer {
  // NUL ends a keyword and may stand in no text.
  const clean = text.replaceAll('\0', ' ')
  const name = Buffer.from(`${keyword}\0`, 'latin1')
  if (/^[\n\x20-\x7e\xa0-\xff]*$/.test(clean)) return encodeChunk('tEXt', Buffer.concat([name, Buffer.from(clean, 'latin1')]))
  // not compressed, by method 0, of no language, keyword not translated
  return encodeChunk('iTXt', Buffer.concat([name, Buffer.alloc(4), Buffer.from(clean, 'utf8')]))
}

function encodeChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, checksum])
}
