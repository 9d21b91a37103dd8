import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sampleToken, toGumbel, toPositionState } from '../../../src/domain/sampling.ts'

const greedy = { temperature: 0, topP: 1, topK: 0 }
const plain = { temperature: 1, topP: 1, topK: 0 }

describe('Gumbel noise', () => {
  it('is pinned: every miner and every auditor must compute these values', () => {
    const values = [
      [42n, 0, 7],
      [42n, 1, 7],
      [0n, 0, 0],
      [2n ** 64n - 1n, 4095, 128_255],
    ].map(([seed, position, token]) => toGumbel(toPositionState(seed as bigint, position as number), token as number))
    expect(values).toMatchInlineSnapshot(`
      [
        1.0108127408890637,
        2.017198949911895,
        0.20045558113759954,
        0.35391374293584626,
      ]
    `)
  })

  it('has the mean (0.5772) and variance (π²/6) of the distribution over tokens, positions and seeds', () => {
    for (const toState of [(n: number) => [1n, 0, n], (n: number) => [1n, n, 3], (n: number) => [BigInt(n), 0, 3]] as ((
      n: number,
    ) => [bigint, number, number])[]) {
      const values = Array.from({ length: 50_000 }, (_, n) => {
        const [seed, position, token] = toState(n)
        return toGumbel(toPositionState(seed, position), token)
      })
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
      expect(mean).toBeCloseTo(0.5772, 1)
      expect(variance).toBeCloseTo(Math.PI ** 2 / 6, 1)
    }
  })
})

describe('sampleToken', () => {
  it('takes the largest logit at temperature 0, the lower id of two', () => {
    expect(sampleToken(new Float32Array([0, 2, 1]), greedy, 42n, 0)).toBe(1)
    expect(sampleToken(new Float32Array([3, 1, 3]), greedy, 42n, 0)).toBe(0)
    expect(sampleToken(new Float32Array([Number.NaN, -1e30, Number.NEGATIVE_INFINITY]), greedy, 42n, 0)).toBe(1)
  })

  it('refuses logits without a number', () => {
    for (const params of [greedy, plain, { ...plain, topP: 0.5 }, { ...plain, topK: 1 }])
      expect(() => sampleToken(new Float32Array([Number.NaN, Number.NaN]), params, 1n, 0)).toThrow(RangeError)
  })

  it('draws tokens as often as the softmax says (chi-square, 20,000 draws, α = 0.001)', () => {
    const logits = new Float32Array([1, 0, -1, 2, 0.5])
    const temperature = 0.7
    const weights = [...logits].map((logit) => Math.exp(logit / temperature))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const counts = new Array(5).fill(0)
    for (let position = 0; position < 20_000; position++) counts[sampleToken(logits, { ...plain, temperature }, 7n, position)]++
    const chiSquare = counts.reduce(
      (sum, count, token) => sum + (count - (20_000 * (weights[token] as number)) / total) ** 2 / ((20_000 * (weights[token] as number)) / total),
      0,
    )
    // 4 degrees of freedom
    expect(chiSquare).toBeLessThan(18.47)
  })

  it('equals the definition written out: top-k, nucleus on what is left, largest noisy score', () => {
    const byDefinition = (logits: Float32Array, { temperature, topP, topK }: typeof plain, seed: bigint, position: number) => {
      let kept = [...logits.keys()].sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b)
      if (topK > 0) kept = kept.slice(0, topK)
      const largest = Math.max(...kept.map((token) => logits[token] as number))
      const weights = kept.map((token) => Math.exp(((logits[token] as number) - largest) / temperature))
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      let mass = 0
      const nucleus = kept.filter((_, index) => {
        const before = mass
        mass += weights[index] as number
        return topP >= 1 || before < topP * total
      })
      const state = toPositionState(seed, position)
      const score = (token: number) => (logits[token] as number) / temperature + toGumbel(state, token)
      return nucleus.reduce((best, token) => (score(token) > score(best) ? token : best))
    }
    const logit = fc.double({ min: -20, max: 20, noNaN: true })
    fc.assert(
      fc.property(
        fc.array(logit, { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0.05, max: 2, noNaN: true }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 70 }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.integer({ min: 0, max: 4096 }),
        (values, temperature, topP, topK, seed, position) => {
          const logits = Float32Array.from(values)
          const params = { temperature, topP, topK }
          expect(sampleToken(logits, params, seed, position)).toBe(byDefinition(logits, params, seed, position))
        },
      ),
      { numRuns: 500 },
    )
  })
})
