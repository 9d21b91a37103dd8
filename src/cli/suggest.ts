/** Edits (insert, delete, replace, swap neighbours) from `left` to `right`: optimal string alignment distance. */
function toDistance(left: string, right: string): number {
  const rows = [Array.from({ length: right.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= left.length; i++) {
    const row = [i]
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1]
      let best = Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (rows[i - 1]?.[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) best = Math.min(best, (rows[i - 2]?.[j - 2] ?? 0) + 1)
      row.push(best)
    }
    rows.push(row)
  }
  return rows[left.length]?.[right.length] ?? 0
}

/**
 * The candidate that `word` was probably meant to be, or null when none is near.
 * @example findSimilar('stkae', ['stake', 'status']) // 'stake'
 */
export function findSimilar(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = 4
  for (const candidate of candidates) {
    const distance = toDistance(word, candidate)
    if (distance < bestDistance && distance <= Math.max(1, candidate.length * 0.4)) [best, bestDistance] = [candidate, distance]
  }
  return best
}
