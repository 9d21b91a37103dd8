import { walkPngChunks } from './pngChunks.ts'

/** True when an image's file is there to its end: by its own lengths and end marks, no pixel is decoded. */
export function isWholeImage(type: 'image/png' | 'image/jpeg' | 'image/webp', data: Uint8Array): boolean {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (type === 'image/png') return walkPngChunks(bytes)
  if (type === 'image/jpeg') return isWholeJpeg(bytes)
  return bytes.length >= 12 && bytes.readUInt32LE(4) + 8 <= bytes.length
}

/** Segment by segment to the scan, and there the mark of the end: in a scan 0xFF is followed by 0 or by a mark. */
function isWholeJpeg(data: Buffer): boolean {
  let position = 2
  while (position + 4 <= data.length) {
    if (data[position] !== 0xff) return false
    const marker = data[position + 1]
    if (marker === 0xff) position++
    else {
      position += 2 + data.readUInt16BE(position + 2)
      if (marker === 0xda) break
    }
  }
  // Every other byte, by index: Buffer.includes holds the event loop up for 100 ms where 20 MiB are all 0xFF.
  for (let at = position + 1; at < data.length; at += 2)
    if ((data[at] === 0xd9 && data[at - 1] === 0xff) || (data[at] === 0xff && data[at + 1] === 0xd9)) return true
  return false
}
