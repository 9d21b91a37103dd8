/** CRC-16 of a FLAC frame: polynomial 0x8005, start 0 (RFC 9639 section 9.3). */
const checksums = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 8
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000 ? (value << 1) ^ 0x8005 : value << 1
  return value & 0xffff
})

/**
 * The frames of a FLAC file one after another, each the bytes from its sync code to its checksum; undefined, and then no more, where
 * the file is cut or altered. A frame names no length: it ends where its checksum holds and the next one, or the end, follows
 * (the parser that comes with the decoder, codec-parser 2, loses the last frame of some files).
 */
export function* listFlacFrames(data: Uint8Array): Generator<Uint8Array | undefined> {
  let start = skipMetadata(data)
  while (start < data.length && !isTag(data, start)) {
    const end = findFrameEnd(data, start)
    yield end === undefined ? undefined : data.subarray(start, end)
    if (end === undefined) return
    start = end
  }
}

/** Blocks of a type and a length of 24 bits; the highest bit of the type marks the last (RFC 9639 section 8.1). */
function skipMetadata(data: Uint8Array): number {
  let position = 4
  while (position + 4 <= data.length) {
    const [type = 0, high = 0, middle = 0, low = 0] = data.subarray(position, position + 4)
    position += 4 + high * 65_536 + middle * 256 + low
    if (type >= 128) break
  }
  return position
}

function findFrameEnd(data: Uint8Array, start: number): number | undefined {
  if (!isSync(data, start)) return undefined
  let checksum = 0
  for (let position = start; position < data.length; position++) {
    checksum = ((checksum << 8) & 0xffff) ^ (checksums[(checksum >> 8) ^ (data[position] as number)] as number)
    const end = position + 1
    // Over a frame and its checksum, the checksum is 0.
    if (checksum === 0 && end > start + 8 && (end === data.length || isSync(data, end) || isTag(data, end))) return end
  }
  return undefined
}

/** 14 bits of sync code, a reserved 0, and the bit of the blocking strategy. */
function isSync(data: Uint8Array, position: number): boolean {
  return data[position] === 0xff && ((data[position + 1] ?? 0) & 0xfe) === 0xf8
}

/** An ID3v1 tag, which some programs put at the end: `TAG`. */
function isTag(data: Uint8Array, position: number): boolean {
  return data.length - position === 128 && data[position] === 0x54 && data[position + 1] === 0x41 && data[position + 2] === 0x47
}
