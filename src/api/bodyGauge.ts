import type { CuckooError } from '../errors/cuckooError.ts'

/** Bodies below this are not counted: they are bounded by the number of connections. */
const minCountedBytes = 262_144

/** Bytes of large bodies that are in memory at once. */
export class BodyGauge {
  readonly #maximumBytes: number
  readonly #refuse: (facts: { maximumBytes: number }) => CuckooError
  #bytes = 0

  /** `refuse` makes the error of a body that finds no room. */
  constructor(maximumBytes: number, refuse: (facts: { maximumBytes: number }) => CuckooError) {
    this.#maximumBytes = maximumBytes
    this.#refuse = refuse
  }

  /**
   * Counts a body until the returned function is called.
   * @throws what `refuse` makes when there is no room for it now
   */
  enter(bytes: number): () => void {
    if (bytes < minCountedBytes) return () => undefined
    if (this.#bytes + bytes > this.#maximumBytes) throw this.#refuse({ maximumBytes: this.#maximumBytes })
    this.#bytes += bytes
    return () => {
      this.#bytes -= bytes
    }
  }
}
