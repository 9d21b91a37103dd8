import { keccak256 } from './eip712.ts'
import { fromHex, type Hash, toHex } from './hex.ts'

/**
 * Weights of the miners that wait, indexed by slot, with prefix sums in a Fenwick tree (Fenwick 1994): update and draw in
 * O(log n). A draw among those waiting is unbiased under churn, which stride scheduling is not.
 */
export class WeightTree {
  #tree: Float64Array
  #weights: Float64Array
  #size: number

  constructor(capacity = 1024) {
    this.#size = 2 ** Math.ceil(Math.log2(Math.max(2, capacity)))
    this.#tree = new Float64Array(this.#size + 1)
    this.#weights = new Float64Array(this.#size)
  }

  /** Sum of all weights. */
  get total(): number {
    return this.#tree[this.#size] as number
  }

  /** Sets the weight of `slot` (≥ 0, whole CAI as a number: relative error 2^-53). Grows as needed. */
  set(slot: number, weight: number): void {
    if (slot >= this.#size) this.#grow(slot + 1)
    const delta = weight - (this.#weights[slot] as number)
    if (delta === 0) return
    this.#weights[slot] = weight
    for (let index = slot + 1; index <= this.#size; index += index & -index) this.#tree[index] = (this.#tree[index] as number) + delta
  }

  /** The weight of `slot`. */
  get(slot: number): number {
    return this.#weights[slot] ?? 0
  }

  /** The slot whose interval holds `point` × total, for `point` in [0, 1), or -1 when no weight waits. */
  find(point: number): number {
    if (!(this.total > 0)) return -1
    let target = point * this.total
    let index = 0
    for (let step = this.#size; step > 0; step >>= 1) {
      const next = index + step
      if (next <= this.#size && (this.#tree[next] as number) <= target) {
        index = next
        target -= this.#tree[next] as number
      }
    }
    // Rounding in the sums can carry `target` past the last interval: the last slot with weight is the right one then.
    let slot = Math.min(index, this.#size - 1)
    while (slot > 0 && this.#weights[slot] === 0) slot--
    return slot
  }

  #grow(capacity: number): void {
    const bigger = new WeightTree(capacity)
    this.#weights.forEach((weight, slot) => {
      if (weight > 0) bigger.set(slot, weight)
    })
    this.#size = bigger.#size
    this.#tree = bigger.#tree
    this.#weights = bigger.#weights
  }
}

/** The task's key in the draw: keccak256(nonce made by the app's request ‖ inputHash), so that no coordinator picks it alone. */
export function toTaskKey(appNonce: string, inputHash: Hash): Hash {
  return toHex(keccak256(Buffer.concat([keccak256(Buffer.from(appNonce)), fromHex(inputHash)])))
}

/** Draw value k of a task: keccak256(secret ‖ taskKey ‖ k) as a point in [0, 1), from its top 53 bits. */
export function toDrawPoint(secret: Hash, taskKey: Hash, k: number): number {
  return createDrawPoints(secret, taskKey)(k)
}

/** {@link toDrawPoint} of one task for many k: the secret and the task's key are decoded once. */
export function createDrawPoints(secret: Hash, taskKey: Hash): (k: number) => number {
  const preimage = Buffer.alloc(68)
  preimage.write(secret.slice(2), 0, 'hex')
  preimage.write(taskKey.slice(2), 32, 'hex')
  return (k) => {
    preimage.writeUInt32BE(k, 64)
    const hash = keccak256(preimage)
    const view = new DataView(hash.buffer, hash.byteOffset)
    // 53 bits: the first 32, and the 21 that follow.
    return (view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11)) / 2 ** 53
  }
}

/** `Assignment.drawRef`: keccak256(epoch commitment ‖ draw index as uint64 ‖ log head). */
export function toDrawRef(commitment: Hash, drawIndex: bigint, logHead: Hash): Hash {
  const preimage = Buffer.alloc(72)
  preimage.set(fromHex(commitment), 0)
  preimage.writeBigUInt64BE(drawIndex, 32)
  preimage.set(fromHex(logHead), 40)
  return toHex(keccak256(preimage))
}
