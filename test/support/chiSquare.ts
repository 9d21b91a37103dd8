/** Pearson's χ² of counts against expected counts. */
export function toChiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, count, index) => sum + (count - (expected[index] as number)) ** 2 / (expected[index] as number), 0)
}

/**
 * Upper critical value of χ² at α = 0.001 (Wilson and Hilferty 1931: within 0.3 % from 5 degrees of freedom on).
 * @example toCriticalValue(9) // 27.8…; the table says 27.88
 */
export function toCriticalValue(degreesOfFreedom: number): number {
  const z = 3.0902
  const spread = 2 / (9 * degreesOfFreedom)
  return degreesOfFreedom * (1 - spread + z * Math.sqrt(spread)) ** 3
}

/** Seeded uniform numbers in [0, 1) (mulberry32, public domain), so that a test that fails fails again. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296
  }
}
