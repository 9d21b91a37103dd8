/** Beyond this the products of a CPU are saturated, and attention (rows × heads × longest²) starts to need memory. */
const maxPaddedTokens = 4_096
const maxRows = 64

/**
 * `rows` in groups that make good batches: of like length (the shortest at least half of the longest, so that at most half of a
 * batch is padding), at most 64 rows and 4,096 tokens with padding. One row a group, in the order given, where `batches` is false.
 */
export function toChunks<Row extends { tokenIds: readonly number[] }>(rows: readonly Row[], batches: boolean): Row[][] {
  if (!batches) return rows.map((row) => [row])
  const chunks: Row[][] = []
  for (const row of [...rows].sort((a, b) => b.tokenIds.length - a.tokenIds.length)) {
    const chunk = chunks.at(-1)
    const longest = chunk?.[0]?.tokenIds.length ?? 0
    const fits = chunk !== undefined && chunk.length < maxRows && (chunk.length + 1) * longest <= maxPaddedTokens && 2 * row.tokenIds.length >= longest
    if (fits) chunk.push(row)
    else chunks.push([row])
  }
  return chunks
}
