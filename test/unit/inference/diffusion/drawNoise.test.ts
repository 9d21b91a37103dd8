import { describe, expect, it } from 'vitest'
import { drawNoise } from '../../../../src/inference/diffusion/drawNoise.ts'

const first = { image: 0, draw: 0 }
const meanOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

describe('drawNoise', () => {
  it('is a function of seed, image, draw and element', () => {
    const noise = drawNoise(42n, first, 9)
    expect(drawNoise(42n, first, 9)).toEqual(noise)
    // An image of another size begins with the same numbers.
    expect(drawNoise(42n, first, 4)).toEqual(noise.slice(0, 4))
    const others = [
      drawNoise(43n, first, 9),
      drawNoise(42n + 2n ** 32n, first, 9),
      drawNoise(42n, { image: 1, draw: 0 }, 9),
      drawNoise(42n, { image: 0, draw: 1 }, 9),
    ]
    for (const other of others) expect(new Set([...other, ...noise]).size).toBe(18)
  })

  // Computed from the documented formula in Python 3.11, whose logarithm and circle functions are the C library's.
  it('gives the numbers of its formula', () => {
    const expectClose = (noise: Float32Array, expected: number[]) => {
      expect(noise.length).toBe(expected.length)
      for (const [index, value] of expected.entries()) expect(noise[index]).toBeCloseTo(value, 6)
    }
    expectClose(drawNoise(42n, first, 4), [0.48984783347741273, 0.4803777149411397, 0.31086797587571396, -0.8049014216288646])
    expectClose(drawNoise(2n ** 64n - 1n, { image: 3, draw: 25 }, 2), [1.7041916904102403, 1.328626202878242])
  })

  it('is standard normal: moments and tails within four standard errors', () => {
    const count = 200_000
    const noise = drawNoise(7n, { image: 3, draw: 2 }, count)
    const moments = [1, 2, 3, 4].map((power) => meanOf(noise.map((value) => value ** power)))
    // variances of the first four powers of a standard normal: 1, 2, 15, 96
    for (const [index, [expected, variance]] of (
      [
        [0, 1],
        [1, 2],
        [0, 15],
        [3, 96],
      ] as const
    ).entries())
      expect(Math.abs((moments[index] as number) - expected), `moment ${index + 1}`).toBeLessThan(4 * Math.sqrt(variance / count))
    // P(|z| > 3) = 0.0026998
    const tails = noise.filter((value) => Math.abs(value) > 3).length / count
    expect(Math.abs(tails - 0.0026998)).toBeLessThan(4 * Math.sqrt(0.0027 / count))
  })

  it('has no correlation between neighbours, halves of a pair, draws and images', () => {
    const count = 100_000
    const noise = drawNoise(1n, first, count)
    const correlate = (a: Float32Array, b: Float32Array) => meanOf(a.map((value, index) => value * (b[index] as number)))
    const limit = 4 / Math.sqrt(count / 2)
    expect(
      Math.abs(
        correlate(
          noise.filter((_, index) => index % 2 === 0),
          noise.filter((_, index) => index % 2 === 1),
        ),
      ),
    ).toBeLessThan(limit)
    for (const lag of [1, 2, 64]) expect(Math.abs(correlate(noise.slice(lag), noise.slice(0, -lag)))).toBeLessThan(limit)
    for (const other of [
      { image: 0, draw: 1 },
      { image: 1, draw: 0 },
    ])
      expect(Math.abs(correlate(noise, drawNoise(1n, other, count)))).toBeLessThan(limit)
  })
})
