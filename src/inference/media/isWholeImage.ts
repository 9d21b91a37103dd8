/** True when an image's file is there to its end: by its own lengths and end marks, no pixel is decoded. */
export function isWholeImage(type: 'image/png' | 'image/jpeg' | 'image/webp', data: Uint8Array): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (type === 'image/png') return isWholePng(view)
  if (type === 'image/jpeg') return isWholeJpeg(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  return view.byteLength >= 12 && view.getUint32(4, true) + 8 <= view.byteLength
}

/** Chunk by chunk (length, name, content, checksum) to IEND. */
function isWholePng(view: DataView): boolean {
  let position = 8
  while (position + 12 <= view.byteLength) {
    const end = position + 12 + view.getUint32(position)
    if (end > view.byteLength) return false
    if (view.getUint32(position + 4) === 0x49454e44 /* 'IEND' */) return true
    position = end
  }
  return false
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
