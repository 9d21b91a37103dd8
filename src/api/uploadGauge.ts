import { uploadsFull } from '../errors/api.ts'

/** Bodies below this are not counted: they are bounded by the number of connections. */
const minCountedBytes = 262_144

/** Bytes of large bodies that are in memory at once. */
export class UploadGauge {
  readonly #maximumBytes: number
  #bytes = 0

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes
  }

  /**
   * Counts a body until the returned function is called.
   * @throws CUCKOO_API_UPLOADS_FULL when there is no room for it now
   */
  enter(bytes: number): () => void {
    if (bytes < minCountedBytes) return () => undefined
    if (this.#bytes + bytes > this.#maximumBytes) throw uploadsFull({ maximumBytes: this.#bytes })
    this.#bytes += bytes
    return () => {
      this.#bytes -= bytes
    }
  }
}
