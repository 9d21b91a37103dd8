import { createDrawPoints, WeightTree } from '../domain/draw.ts'
import type { Address, Hash } from '../domain/hex.ts'

/** Draw values tried on the intervals of all active miners before the draw is made among those waiting. */
export const drawAttempts = 64

const weiPerWeight = 1e18

/**
 * The intervals of all active miners, in the order of their addresses, each as long as its weight: anyone who has the node set
 * can lay them out again. Which miners wait does not move them, so nobody steers a draw by coming and going.
 */
export class DrawIntervals {
  #nodes: Address[] = []
  #tree = new WeightTree()

  /** Lays the intervals out anew for these weights in wei. Changing sums in place would leave rounding behind, different for each history. */
  set(weights: ReadonlyMap<Address, bigint>): void {
    if (weights.size !== this.#nodes.length || this.#nodes.some((node) => !weights.has(node))) this.#nodes = [...weights.keys()].sort()
    this.#tree = new WeightTree(this.#nodes.length)
    for (const [slot, node] of this.#nodes.entries()) this.#tree.set(slot, Number(weights.get(node) ?? 0n) / weiPerWeight)
  }

  /** The miner whose interval holds `point`, for `point` in [0, 1). */
  find(point: number): Address | undefined {
    return this.#nodes[this.#tree.find(point)]
  }
}

export interface Draw {
  miner: Address
  /** which value landed; {@link drawAttempts}: none did, and the draw was among those waiting */
  k: number
}

/**
 * The miner drawn for a task, with a probability proportional to its weight among `candidates` (weights in wei): value k of the
 * task, k = 0…63, lands on an active miner; the first that is a candidate is it. Should none be hit, one more value draws among
 * the candidates alone. Undefined when no candidate has weight.
 */
export function drawMiner(input: {
  intervals: DrawIntervals
  candidates: ReadonlyMap<Address, { weightWei: bigint }>
  secret: Hash
  taskKey: Hash
}): Draw | undefined {
  const { intervals, candidates, secret, taskKey } = input
  if (candidates.size === 0) return undefined
  const toPoint = createDrawPoints(secret, taskKey)
  for (let k = 0; k < drawAttempts; k++) {
    const miner = intervals.find(toPoint(k))
    if (miner === undefined) break
    if (candidates.has(miner)) return { miner, k }
  }
  const nodes = [...candidates.keys()].sort()
  const tree = new WeightTree(nodes.length)
  for (const [slot, node] of nodes.entries()) tree.set(slot, Number(candidates.get(node)?.weightWei ?? 0n) / weiPerWeight)
  const miner = nodes[tree.find(toPoint(drawAttempts))]
  return miner === undefined ? undefined : { miner, k: drawAttempts }
}
