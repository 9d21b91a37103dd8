import type { Hash } from './hex.ts'

/** Bytes that belong to a task and travel beside it, named by their SHA-256. */
export type Media = ImageMedia | AudioMedia

export interface ImageMedia {
  sha256: Hash
  bytes: number
  type: 'image/png' | 'image/jpeg' | 'image/webp'
  width: number
  height: number
}
export interface AudioMedia {
  sha256: Hash
  bytes: number
  type: 'audio/wav' | 'audio/mpeg' | 'audio/flac'
  /** rounded up */
  durationMs: number
}

/** A medium with its bytes. */
export interface MediaFile {
  media: Media
  data: Uint8Array
}
