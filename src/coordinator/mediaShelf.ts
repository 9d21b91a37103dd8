import type { Hash } from '../domain/hex.ts'
import type { Media, MediaFile } from '../domain/media.ts'
import type { NewBlob } from '../domain/storePorts.ts'
import { type MediaClass, outputLimits, type PipelineKind, type TaskKindTraits, taskKindTraits } from '../domain/taskKinds.ts'
import { mediaAbsent, mediaBytesExceeded, mediaUrlRefused, storageLow } from '../errors/api.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'

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
  readonly #ports: Pick<CoordinatorPorts, 'store' | 'media' | 'clock' | 'config'>

  constructor(ports: Pick<CoordinatorPorts, 'store' | 'media' | 'clock' | 'config'>) {
    this.#ports = ports
  }

  /**
   * The medium that `data` is, kept for an hour, and from when a task names it on as long as that task's content.
   * @throws CUCKOO_MEDIA_UNKNOWN, CUCKOO_MEDIA_TOO_LARGE, CUCKOO_MEDIA_TOO_NARROW; CUCKOO_API_MEDIA_TOO_LARGE for too many bytes
   * @throws CUCKOO_API_MEDIA_QUOTA_EXCEEDED, CUCKOO_API_STORAGE_LOW when the app, or the disk, has no room for it
   */
  async keep(data: Uint8Array, appId: string): Promise<Media> {
    const media = await this.#read(data, this.#ports.media.findClass(data) ?? 'image')
    await this.#assertRoom(data)
    const { store, clock, config } = this.#ports
    await store.putMedia(data, { atMs: clock.nowMs(), app: { id: appId, quotaBytes: config.appMediaBytes }, hash: media.sha256 })
    return media
  }

  /** The medium with its bytes, or null: no blob has this hash, or it is no medium. */
  async find(hash: Hash): Promise<MediaFile | null> {
    const data = await this.#ports.store.getBlob(hash)
    const wanted = data === null ? null : this.#ports.media.findClass(data)
    if (data === null || wanted === null) return null
    const media = await this.read(data, wanted, outputLimits).catch((error: unknown) => {
      if (error instanceof CuckooError) return null
      throw error
    })
    return media && { media, data }
  }

  /**
   * The input medium of a task of `kind`, and its bytes where they came with the request: they are kept with the task.
   * @throws CUCKOO_API_MEDIA_ABSENT, CUCKOO_API_MEDIA_URL_REFUSED, CUCKOO_API_MEDIA_TOO_LARGE, CUCKOO_API_STORAGE_LOW and what the media reader throws
   */
  async getInput(source: MediaSource, kind: PipelineKind): Promise<{ media: Media; blobs: NewBlob[] }> {
    const { takes, limits } = taskKindTraits[kind]
    const fresh = typeof source === 'string' ? parseDataUrl(source) : null
    const data = typeof source === 'string' ? fresh : await this.#ports.store.getBlob(source.sha256)
    if (data === null) throw mediaAbsent({ hash: (source as { sha256: Hash }).sha256 })
    const media = await this.#read(data, takes.media ?? 'image', limits)
    if (fresh === null) return { media, blobs: [] }
    await this.#assertRoom(fresh)
    return { media, blobs: [{ hash: media.sha256, bytes: fresh, quotaBytes: this.#ports.config.appMediaBytes }] }
  }

  /** What `data` is. @throws as the media reader does */
  read(data: Uint8Array, wanted: MediaClass, limits: { maxPixels: number; maxSeconds: number }): Promise<Media> {
    return this.#ports.media.read(data, wanted, limits)
  }

  /** What apps send is refused before the disk is full: a result that cannot be written is work for nothing. */
  async #assertRoom({ length: bytes }: Uint8Array): Promise<void> {
    const { minFreeBytes: reservedBytes } = this.#ports.config
    const { freeBytes } = await this.#ports.store.getSpace()
    if (freeBytes - bytes < reservedBytes) throw storageLow({ bytes, freeBytes, reservedBytes })
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
