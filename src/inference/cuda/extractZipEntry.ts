import { createReadStream, createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { runtimeFileCorrupt } from '../../errors/inference.ts'

// APPNOTE.TXT 6.3.10 of PKWARE: 4.3.7 local header, 4.3.12 central directory, 4.3.16 end of it.
const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50
const endBytes = 22
const maxCommentBytes = 65_535

interface Entry {
  method: number
  crc: number
  packedBytes: number
  bytes: number
  offset: number
}

/**
 * Writes one entry of the ZIP archive at `archive` to `target`, with its length and CRC-32 checked. The archive's own hash is the
 * caller's matter. Archives of 4 GiB and more (ZIP64) and encrypted ones are refused.
 * @throws CUCKOO_RUNTIME_FILE_CORRUPT
 */
export async function extractZipEntry(archive: string, entry: string, target: string): Promise<void> {
  const refuse = (problem: string, cause?: unknown) => runtimeFileCorrupt({ file: archive, problem }, { cause })
  const handle = await open(archive, 'r')
  const read = async (position: number, length: number) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
    if (bytesRead !== length) throw refuse('it ends in the middle')
    return buffer
  }
  try {
    const found = await findEntry((await handle.stat()).size, read, entry)
    if (found === null) throw refuse(`it has no ${entry}`)
    const local = await read(found.offset, 30)
    if (local.readUInt32LE(0) !== localSignature) throw refuse(`${entry} is not where its directory says`)
    const start = found.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
    const check = createCheck()
    const unpack = found.method === 8 ? [createInflateRaw()] : []
    if (found.method !== 0 && found.method !== 8) throw refuse(`${entry} is packed by method ${found.method}`)
    const source = createReadStream(archive, { start, end: start + found.packedBytes - 1 })
    await pipeline([source, ...unpack, check, createWriteStream(target)])
    if (check.bytes !== found.bytes || check.crc !== found.crc) throw refuse(`${entry} does not have its checksum`)
  } catch (error) {
    if (error instanceof RangeError || (error as { code?: unknown }).code === 'Z_DATA_ERROR' || (error as { code?: unknown }).code === 'Z_BUF_ERROR')
      throw refuse(`${entry} cannot be unpacked`, error)
    throw error
  } finally {
    await handle.close()
  }
}

async function findEntry(size: number, read: (position: number, length: number) => Promise<Buffer>, wanted: string): Promise<Entry | null> {
  const tailBytes = Math.min(size, endBytes + maxCommentBytes)
  const tail = await read(size - tailBytes, tailBytes)
  let end = tailBytes - endBytes
  while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end--
  if (end < 0) return null
  const directory = await read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === entrySignature; ) {
    const [nameBytes, extraBytes, commentBytes] = [directory.readUInt16LE(at + 28), directory.readUInt16LE(at + 30), directory.readUInt16LE(at + 32)]
    if (directory.toString('utf8', at + 46, at + 46 + nameBytes) === wanted) {
      return {
        method: directory.readUInt16LE(at + 10),
        crc: directory.readUInt32LE(at + 16),
        packedBytes: directory.readUInt32LE(at + 20),
        bytes: directory.readUInt32LE(at + 24),
        offset: directory.readUInt32LE(at + 42),
      }
    }
    at += 46 + nameBytes + extraBytes + commentBytes
  }
  return null
}

/** Passes bytes on and keeps their number and CRC-32. */
function createCheck(): Transform & { bytes: number; crc: number } {
  const check = Object.assign(
    new Transform({
      transform: (chunk: Buffer, _, done) => {
        check.bytes += chunk.length
        check.crc = crc32(chunk, check.crc)
        done(null, chunk)
      },
    }),
    { bytes: 0, crc: 0 },
  )
  return check
}
