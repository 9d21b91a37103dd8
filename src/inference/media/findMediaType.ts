import type { Media } from '../../domain/media.ts'
import { findMpegFrame } from './mpegFrames.ts'

const latin = (data: Uint8Array, start: number, end: number) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1', start, end)

/** The type that the first bytes show, undefined for anything else: what no type is found for reaches no decoder. */
export function findMediaType(data: Uint8Array): Media['type'] | undefined {
  const start = latin(data, 0, 12)
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'image/webp'
  if (start.startsWith('RIFF') && start.endsWith('WAVE')) return 'audio/wav'
  if (start.startsWith('fLaC')) return 'audio/flac'
  return start.startsWith('ID3') || findMpegFrame(data, 0) !== undefined ? 'audio/mpeg' : undefined
}
