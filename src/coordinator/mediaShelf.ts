import type { MediaReader } from '../domain/enginePort.ts'
import type { Hash } from '../domain/hex.ts'
import type { Media, MediaFile } from '../domain/media.ts'
import type { CoordinatorStore } from '../domain/storePorts.ts'
import { type MediaClass, type PipelineKind, type TaskKindTraits, taskKindTraits } from '../domain/taskKinds.ts'
import { mediaAbsent, mediaBytesExceeded, mediaUrlRefused } from '../errors/api.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { mediaUnknown } from '../errors/media.ts'

/** A medium as a request names it: by the SHA-256 of one that is here, or as a `data:` URL. */
export type MediaSource = { sha256: Hash } | string

type MediaLimits = Pick<TaskKindTraits['limits'], 'maxMediaBytes' | 'maxPixels' | 'maxSeconds'>

/** The widest limits of any kind that takes media of a class: what may lie on the shelf. */
function toWidest(wanted: MediaClass): MediaLimits {
  const all = Object.values(taskKindTraits).filter(({ takes }) => takes.media === wanted)
  const max = (name: keyof MediaLimits) => Math.max(...all.map(({ limits }) => limits[name]))
  return { maxMediaBytes: max('maxMediaBytes'), maxPixels: max('maxPixels'), maxSeconds: max('maxSeconds') }
}
const widest: Readonly<Record<MediaClass, MediaLimits>> = { image: toWidest('image'), audio: toWidest('audio') }

/**
 * Media of tasks: bytes in the store's blobs under their SHA-256. Nothing else is kept of them: what a medium is, its own header
 * says whenever somebody asks, so that bytes which are no medium (prompts, outputs) never leave this way.
 */
export class MediaShelf {
  readonly #store: Pick<CoordinatorStore, 'getBlob' | 'putBlob'>
  readonly #reader: MediaReader

  constructor(store: Pick<CoordinatorStore, 'getBlob' | 'putBlob'>, reader: MediaReader) {
    this.#store = store
    this.#reader = reader
  }

  /**
   * The medium that `data` is, kept.
   * @throws CUCKOO_MEDIA_UNKNOWN, CUCKOO_MEDIA_TOO_LARGE, CUCKOO_MEDIA_TOO_NARROW; CUCKOO_API_MEDIA_TOO_LARGE for too many bytes
   */
  async keep(data: Uint8Array): Promise<Media> {
    const media = await this.#read(data, 'image').catch((error: unknown) => {
      if (error instanceof CuckooError && error.code === mediaUnknown.code) return this.#read(data, 'audio')
      throw error
    })
    await this.#store.putBlob(data)
    return media
  }

  /** The medium with its bytes, or null: no blob has this hash, or it is no medium. */
  async find(hash: Hash): Promise<MediaFile | null> {
    const data = await this.#store.getBlob(hash)
    if (data === null) return null
    for (const wanted of ['image', 'audio'] as const) {
      // Output media may be larger than any input.
      const media = await this.read(data, wanted, { maxPixels: Number.MAX_SAFE_INTEGER, maxSeconds: Number.MAX_SAFE_INTEGER }).catch((error: unknown) => {
        if (error instanceof CuckooError) return null
        throw error
      })
      if (media !== null) return { media, data }
    }
    return null
  }

  /**
   * The input medium of a task of `kind`, and its bytes where they are not on the shelf yet: they are kept with the task.
   * @throws CUCKOO_API_MEDIA_ABSENT, CUCKOO_API_MEDIA_URL_REFUSED, CUCKOO_API_MEDIA_TOO_LARGE and what {@link MediaReader} throws
   */
  async getInput(source: MediaSource, kind: PipelineKind): Promise<{ media: Media; fresh: Uint8Array | null }> {
    const { takes, limits } = taskKindTraits[kind]
    const fresh = typeof source === 'string' ? parseDataUrl(source) : null
    const data = typeof source === 'string' ? fresh : await this.#store.getBlob(source.sha256)
    if (data === null) throw mediaAbsent({ hash: (source as { sha256: Hash }).sha256 })
    return { media: await this.#read(data, takes.media ?? 'image', limits), fresh }
  }

  /** What `data` is. @throws as {@link MediaReader} does */
  read(data: Uint8Array, wanted: MediaClass, limits: { maxPixels: number; maxSeconds: number }): Promise<Media> {
    return this.#reader.read(data, wanted, limits)
  }

  #read(data: Uint8Array, wanted: MediaClass, limits: MediaLimits = widest[wanted]): Promise<Media> {
    if (data.length > limits.maxMediaBytes) throw mediaBytesExceeded({ bytes: data.length, maximumBytes: limits.maxMediaBytes })
    return this.read(data, wanted, limits)
  }
}

const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/

/** The bytes of a `data:` URL. What it calls itself is not looked at, and no other URL is ever fetched. */
function parseDataUrl(url: string): Uint8Array {
  const comma = url.indexOf(',')
  const head = url.slice(0, Math.min(comma === -1 ? 0 : comma, 200))
  // Only the scheme is shown: the rest of a URL may hold what is secret.
  const shown = `${/^[A-Za-z][A-Za-z0-9+.-]{0,20}:/.exec(url)?.[0] ?? ''}…`
  if (!/^data:/i.test(url)) throw mediaUrlRefused({ url: shown, problem: 'it is no data: URL, and nothing is fetched from elsewhere' })
  if (!/;base64$/i.test(head)) throw mediaUrlRefused({ url: shown, problem: 'it is not in base64' })
  const text = url.slice(comma + 1)
  if (text.length % 4 !== 0 || !base64Pattern.test(text)) throw mediaUrlRefused({ url: shown, problem: 'its base64 is broken' })
  return Buffer.from(text, 'base64')
}
