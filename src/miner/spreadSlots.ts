/** A coordinator's claim on slots: its weight on chain in wei, times its payment factor. */
export interface SlotClaim {
  key: string
  weightWei: bigint
}

/** Quotas are reckoned in this many parts of a slot: weights are sums of wei, too large for exact floating point. */
const parts = 2n ** 52n

/**
 * Slots per coordinator, in whole slots that add up to `slots` (nothing when nobody claims), each coordinator's expected number
 * being exactly its share by weight: its whole quota for sure, and the rest by systematic sampling from the one random number
 * `point` in [0, 1) (Madow 1949). The same claims and the same point give the same spread, so that it only turns with the point.
 *
 * @example spreadSlots(4, [{ key: 'a', weightWei: 3n * 10n ** 24n }, { key: 'b', weightWei: 10n ** 24n }], 0.7) // Map { 'a' => 3, 'b' => 1 }
 */
export function spreadSlots(slots: number, claims: readonly SlotClaim[], point: number): Map<string, number> {
  const ordered = [...claims].sort((a, b) => (a.key < b.key ? -1 : 1))
  // One wei for each: coordinators without weight share what there is.
  const totalWei = ordered.reduce((sum, { weightWei }) => sum + weightWei + 1n, 0n)
  const start = BigInt(Math.floor(point * Number(parts)))
  let passedWei = 0n
  let marksBefore = countMarks(0n, start)
  const shares = new Map<string, number>()
  for (const { key, weightWei } of ordered) {
    passedWei += weightWei + 1n
    const marks = countMarks((BigInt(slots) * passedWei * parts) / totalWei, start)
    shares.set(key, Number(marks - marksBefore))
    marksBefore = marks
  }
  return shares
}

/** How many of the marks at start, start + 1 slot, start + 2 slots… lie before `position`. */
function countMarks(position: bigint, start: bigint): bigint {
  return position <= start ? 0n : (position - start + parts - 1n) / parts
}
