/** True when an image's file is there to its end: by its own lengths and end marks, no pixel is decoded. */
export function isWholeImage(type: 'image/png' | 'image/jpeg' | 'image/webp', data: Uint8Array): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (type === 'image/png') return isWholePng(view)
  if (type === 'image/jpeg') return isWholeJpeg(view)
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
function isWholeJpeg(view: DataView): boolean {
  let position = 2
  while (position + 4 <= view.byteLength) {
    if (view.getUint8(position) !== 0xff) return false
    const marker = view.getUint8(position + 1)
    if (marker === 0xff) position++
    else {
      position += 2 + view.getUint16(position + 2)
      if (marker === 0xda) break
    }
  }
  for (; position + 2 <= view.byteLength; position++) if (view.getUint16(position) === 0xffd9) return true
  return false
}
