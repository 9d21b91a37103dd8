/**
 * Classifier-free guidance, the length of both: `without` + `guidance` × (`told` − `without`); Ho and Salimans 2022, eq. 6 with
 * guidance = 1 + w.
 * @example combineGuided([1], [2], 7.5) // [8.5]
 */
export function combineGuided(without: ArrayLike<number>, told: ArrayLike<number>, guidance: number): Float64Array {
  return Float64Array.from(without, (value, index) => value + guidance * ((told[index] as number) - value))
}

/**
 * The guidance as a distilled network reads it, float64[`width`]: sines, then cosines, of 1,000 (guidance − 1) at frequencies from
 * 1 down to 1 / 10,000; under 1 it is none, as at 1: no network was distilled with less. Luo et al. 2023, section 4.1 (w-embedding), spelt as `get_guidance_scale_embedding` of diffusers 0.35.
 */
export function embedGuidance(guidance: number, width: number): Float64Array {
  const half = Math.floor(width / 2)
  const beyond = Math.max(0, guidance - 1)
  const embedding = new Float64Array(width)
  for (let index = 0; index < half; index++) {
    const angle = 1_000 * beyond * Math.exp((-Math.log(10_000) * index) / (half - 1))
    embedding[index] = Math.sin(angle)
    embedding[half + index] = Math.cos(angle)
  }
  return embedding
}
