import { createHash } from 'node:crypto'
import { encode } from 'fast-png'
import type { ImageMedia } from '../../domain/media.ts'

export interface Pixels {
  width: number
  height: number
  /** 1: grey, 3: RGB */
  channels: 1 | 3
  /** uint8 or, for 16 bits per sample, uint16 [height, width, channels] */
  data: Uint8Array | Uint16Array
}

/** A PNG of these pixels; the same pixels give the same bytes. */
export function encodeImage({ width, height, channels, data: pixels }: Pixels): { media: ImageMedia; data: Uint8Array } {
  const data = encode({ width, height, channels, data: pixels, depth: pixels instanceof Uint16Array ? 16 : 8 })
  return { media: { sha256: `0x${createHash('sha256').update(data).digest('hex')}`, bytes: data.length, type: 'image/png', width, height }, data }
}
