import { randomBytes } from 'node:crypto'
import { toCanonicalJson } from '../domain/canonical.ts'
import { toDrawRef } from '../domain/draw.ts'
import { keccak256 } from '../domain/eip712.ts'
import { fromHex, type Hash, toHex } from '../domain/hex.ts'
import type { CoordinatorStore, DrawEpoch, DrawRecord } from '../domain/storePorts.ts'

const epochMs = 3_600_000

/** Hash chain of the draw log: keccak256(previous head ‖ canonical JSON of the entry without its head, integers over 2^53 as strings). */
export function toLogHead(previous: Hash, entry: Omit<DrawRecord, 'head'>): Hash {
  const text = toCanonicalJson({ ...entry, index: entry.index.toString(), totalWeightWei: entry.totalWeightWei.toString() })
  return toHex(keccak256(Buffer.concat([fromHex(previous), Buffer.from(text)])))
}

/** A new secret of `epoch` with its commitment keccak256(secret). */
function createDrawEpoch(epoch: number): DrawEpoch {
  const secret = randomBytes(32)
  return { epoch, secret: toHex(secret), commitment: toHex(keccak256(secret)) }
}

/** The append-only log of draws and the hourly secrets they come from. What it gives out follows the store's own order. */
export class DrawLog {
  readonly #store: CoordinatorStore
  readonly #epochs = new Map<number, DrawEpoch>()
  #head: Hash
  #index: bigint

  private constructor(store: CoordinatorStore, last: { head: Hash; index: bigint }) {
    this.#store = store
    this.#head = last.head
    this.#index = last.index
  }

  /** The log as the store has it, with the secrets of this hour and the next. */
  static async load(store: CoordinatorStore, nowMs: number): Promise<DrawLog> {
    const log = new DrawLog(store, await store.getDrawLog())
    await log.openEpochs(nowMs)
    return log
  }

  /** Head of the hash chain: what every poll answer carries. */
  get head(): Hash {
    return this.#head
  }

  /** The epoch of this moment, undefined when its secret is not on disk yet: {@link openEpochs} first. */
  findEpoch(nowMs: number): DrawEpoch | undefined {
    return this.#epochs.get(Math.floor(nowMs / epochMs))
  }

  /** Makes this hour's and the next hour's secret durable before they are used, and forgets older ones in memory. */
  async openEpochs(nowMs: number): Promise<void> {
    const current = Math.floor(nowMs / epochMs)
    for (const epoch of [current, current + 1]) if (!this.#epochs.has(epoch)) this.#epochs.set(epoch, await this.#store.openDrawEpoch(createDrawEpoch(epoch)))
    for (const epoch of this.#epochs.keys()) if (epoch < current) this.#epochs.delete(epoch)
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
