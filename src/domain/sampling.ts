/**
 * Seeded Gumbel noise: what makes sampling a function. Adding it to `logits / temperature` and taking the maximum draws a token
 * from the softmax (Gumbel-max trick; Gumbel 1954, Maddison et al. 2014, arXiv:1411.0030), and the same (seed, position, token)
 * gives the same noise on every machine. Integer hash: three rounds of the 32-bit finaliser of MurmurHash3 (fmix32, public domain).
 */
function mix32(value: number): number {
  let hash = value | 0
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Hash state of one position, to be mixed with each token: 32 bits of (seed, position). `seed` is a uint64. */
export function toPositionState(seed: bigint, position: number): number {
  const low = Number(seed & 0xffff_ffffn)
  const high = Number((seed >> 32n) & 0xffff_ffffn)
  return mix32(mix32(mix32(low ^ 0x9e3779b9) ^ high) ^ Math.imul(position + 1, 0x27d4eb2f))
}

/**
 * Gumbel(0, 1) noise of one token at one position: −ln(−ln u), with u = (h + 0.5) / 2^32 never 0 or 1.
 * @example toGumbel(toPositionState(42n, 0), 7) // 0.46…: see test/unit/domain/sampling.test.ts for the pinned values
 */
export function toGumbel(positionState: number, token: number): number {
  const hash = mix32(positionState ^ Math.imul(token + 1, 0x165667b1)) >>> 0
  return -Math.log(-Math.log((hash + 0.5) / 4294967296))
}
