import { toCanonicalJson } from '../domain/canonical.ts'
import { toDrawRef } from '../domain/draw.ts'
import { keccak256 } from '../domain/eip712.ts'
import { fromHex, type Hash, toHex } from '../domain/hex.ts'
import type { CoordinatorStore, DrawRecord } from '../domain/storePorts.ts'

/** Hash chain of the draw log: keccak256(previous head ‖ canonical JSON of the entry without its head, integers over 2^53 as strings). */
export function toLogHead(previous: Hash, entry: Omit<DrawRecord, 'head'>): Hash {
  const text = toCanonicalJson({ ...entry, index: entry.index.toString(), totalWeightWei: entry.totalWeightWei.toString() })
  return toHex(keccak256(Buffer.concat([fromHex(previous), Buffer.from(text)])))
}

/** The append-only log of draws. What it gives out follows the store's own order. */
export class DrawLog {
  readonly #store: CoordinatorStore
  #head: Hash
  #index: bigint

  private constructor(store: CoordinatorStore, last: { head: Hash; index: bigint }) {
    this.#store = store
    this.#head = last.head
    this.#index = last.index
  }

  /** The log as the store has it. */
  static async load(store: CoordinatorStore): Promise<DrawLog> {
    return new DrawLog(store, await store.getDrawLog())
  }

  /** Head of the hash chain: what every poll answer carries. */
  get head(): Hash {
    return this.#head
  }

  /** The log's next entry for a draw, and the `drawRef` that its assignment carries: commitment, index and the head before it. */
  append(draw: Omit<DrawRecord, 'head' | 'index'>): { record: DrawRecord; drawRef: Hash } {
    const entry = { ...draw, index: this.#index }
    const drawRef = toDrawRef(draw.commitment, entry.index, this.#head)
    const record = { ...entry, head: toLogHead(this.#head, entry) }
    this.#head = record.head
    this.#index += 1n
    return { record, drawRef }
  }

  /** Goes back to what the store has, after an entry could not be written. */
  async reload(): Promise<void> {
    const { head, index } = await this.#store.getDrawLog()
    this.#head = head
    this.#index = index
  }
}
