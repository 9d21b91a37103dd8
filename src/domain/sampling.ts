/**
 * Seeded Gumbel noise: what makes sampling a function. Adding it to `logits / temperature` and taking the maximum draws a token
 * from the softmax (Gumbel-max trick; Gumbel 1954, Maddison et al. 2014, arXiv:1411.0030), and the same (seed, position, token)
 * gives the same noise on every machine.
 */

/** An int32 whose every bit depends on every bit of `value`: the 32-bit finaliser of MurmurHash3 (fmix32, public domain). */
export function mix32(value: number): number {
  let hash = value | 0
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Hash state of one position, to be mixed with each token: 32 bits of (seed, position) in three rounds. `seed` is a uint64. */
export function toPositionState(seed: bigint, position: number): number {
  const low = Number(seed & 0xffff_ffffn)
  const high = Number((seed >> 32n) & 0xffff_ffffn)
  return mix32(mix32(mix32(low ^ 0x9e3779b9) ^ high) ^ Math.imul(position + 1, 0x27d4eb2f))
}

/**
 * Gumbel(0, 1) noise of one token at one position: −ln(−ln u), with u = (h + 0.5) / 2^32 never 0 or 1.
 * @example toGumbel(toPositionState(42n, 0), 7) // 1.0108127408890637
 */
export function toGumbel(positionState: number, token: number): number {
  const hash = mix32(positionState ^ Math.imul(token + 1, 0x165667b1)) >>> 0
  return -Math.log(-Math.log((hash + 0.5) / 4294967296))
}

/** What decides the choice of a token, as in TextParams. */
export interface SamplingParams {
  temperature: number
  /** nucleus, (0, 1] */
  topP: number
  /** 0: no limit */
  topK: number
}

/**
 * The token that follows: with temperature 0 the largest logit, else the largest `logit / temperature + noise` among the tokens
 * that top-k and then the nucleus (top-p on the softmax of what is left) keep. Ties go to the lower id. `logits`: one per token.
 * @throws RangeError when no logit is a number
 * @example sampleToken(new Float32Array([0, 2, 1]), { temperature: 0, topP: 1, topK: 0 }, 42n, 0) // 1
 */
export function sampleToken(logits: Float32Array, params: SamplingParams, seed: bigint, position: number): number {
  if (params.temperature === 0)
    return findLargest(
      logits.length,
      (index) => logits[index] as number,
      (index) => index,
    )
  const candidates = findCandidates(logits, params)
  const state = toPositionState(seed, position)
  const tokenAt = candidates === null ? (index: number) => index : (index: number) => candidates[index] as number
  const scoreAt = (index: number) => (logits[tokenAt(index)] as number) / params.temperature + toGumbel(state, tokenAt(index))
  return findLargest(candidates?.length ?? logits.length, scoreAt, tokenAt)
}

function findLargest(count: number, scoreAt: (index: number) => number, tokenAt: (index: number) => number): number {
  let best = -1
  let bestScore = Number.NEGATIVE_INFINITY
  for (let index = 0; index < count; index++) {
    const score = scoreAt(index)
    if (score > bestScore || (score === bestScore && best >= 0 && tokenAt(index) < tokenAt(best))) {
      best = index
      bestScore = score
    }
  }
  if (best < 0) throw new RangeError('no logit is a finite number')
  return tokenAt(best)
}

/** Token ids that top-k and top-p keep, or null for all. */
function findCandidates(logits: Float32Array, { temperature, topP, topK }: SamplingParams): number[] | null {
  const limited = topK > 0 && topK < logits.length
  if (!limited && topP >= 1) return null
  const byLogit = (a: number, b: number) => (logits[b] as number) - (logits[a] as number) || a - b
  let kept = [...logits.keys()]
  if (limited) kept = kept.sort(byLogit).slice(0, topK)
  if (topP >= 1) return kept
  const largest = kept.reduce((most, token) => Math.max(most, logits[token] as number), Number.NEGATIVE_INFINITY)
  const weightOf = (token: number) => Math.exp(((logits[token] as number) - largest) / temperature)
  const total = kept.reduce((sum, token) => sum + weightOf(token), 0)
  // Tokens under (1 - p) / n of the mass hold less than 1 - p together, so none of them is in the nucleus: sort only the others.
  const least = ((1 - topP) * total) / kept.length
  const nucleus = kept.filter((token) => weightOf(token) >= least).sort(byLogit)
  let mass = 0
  const end = nucleus.findIndex((token) => {
    mass += weightOf(token)
    return mass >= topP * total
  })
  return end < 0 ? nucleus : nucleus.slice(0, end + 1)
}
