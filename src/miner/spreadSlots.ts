/** A coordinator's claim on slots: its weight on chain in wei. */
export interface SlotClaim {
  key: string
  weightWei: bigint
}

/**
 * Slots per coordinator, in whole slots that add up to `slots` (nothing when nobody claims): one each while there are enough,
 * the heaviest first, the rest in proportion to weight by highest quotients weight / (2 × given + 1) (Sainte-Laguë). Ties go to
 * the smaller key, so the same claims give the same spread.
 *
 * @example spreadSlots(4, [{ key: 'a', weightWei: 3n }, { key: 'b', weightWei: 1n }]) // Map { 'a' => 3, 'b' => 1 }
 */
export function spreadSlots(slots: number, claims: readonly SlotClaim[]): Map<string, number> {
  const heaviestFirst = [...claims].sort((a, b) => (a.weightWei === b.weightWei ? (a.key < b.key ? -1 : 1) : a.weightWei > b.weightWei ? -1 : 1))
  const shares = heaviestFirst.map((claim, index) => ({ key: claim.key, weight: claim.weightWei + 1n, given: index < slots ? 1 : 0 }))
  const [first] = shares
  if (first === undefined) return new Map()
  for (let left = slots - shares.length; left > 0; left--) {
    let next = first
    for (const share of shares) if (share.weight * BigInt(2 * next.given + 1) > next.weight * BigInt(2 * share.given + 1)) next = share
    next.given++
  }
  return new Map(shares.map((share) => [share.key, share.given]))
}
