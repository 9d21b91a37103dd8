import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { combineGuided, embedGuidance } from '../../../../src/inference/diffusion/guidance.ts'
import { decodeHalf, encodeHalf } from '../../../../src/inference/halfFloat.ts'

describe('guidance', () => {
  it('goes beyond the prompt by its factor, and stays with it at 1', () => {
    expect([...combineGuided([1, -2], [2, 2], 7.5)]).toEqual([8.5, 28])
    expect([...combineGuided([1, -2], [2, 2], 1)]).toEqual([2, 2])
  })

  it('is embedded as sines and cosines of 1,000 (guidance − 1)', () => {
    // width 4: frequencies 1 and 1 / 10,000; 1,000 × (1.001 − 1) = 1
    const [sine, slowSine, cosine, slowCosine] = embedGuidance(1.001, 4) as unknown as [number, number, number, number]
    expect(sine).toBeCloseTo(Math.sin(1), 9)
    expect(slowSine).toBeCloseTo(1e-4, 9)
    expect(cosine).toBeCloseTo(Math.cos(1), 9)
    expect(slowCosine).toBeCloseTo(1, 8)
    for (const none of [1, 0.5, 0]) expect([...embedGuidance(none, 5)]).toEqual([0, 0, 1, 1, 0])
  })
})

describe('half precision', () => {
  // Half floats of IEEE 754-2019, table 3.5: largest, least normal, least subnormal.
  it('has the bits of the standard', () => {
    const values = [1, -2, 65_504, 2 ** -14, 2 ** -24, 0, -0, 1e9, -1e9, 1 / 3]
    expect([...encodeHalf(values)]).toEqual([0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0, 0x8000, 0x7c00, 0xfc00, 0x3555])
    expect(encodeHalf([Number.NaN])[0]).toBe(0x7e00)
    expect([...decodeHalf(Uint16Array.of(0x7c00, 0x7e00, 0x3555, 0x0001))]).toEqual([Number.POSITIVE_INFINITY, Number.NaN, 0.333251953125, 2 ** -24])
  })

  it('keeps every half, and rounds to nearest even between two', () => {
    const halves = Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits)
    expect(encodeHalf(decodeHalf(halves))).toEqual(halves)
    fc.assert(
      fc.property(fc.nat(0x7bfd), (bits) => {
        const [low, high] = decodeHalf(Uint16Array.of(bits, bits + 1)) as unknown as [number, number]
        const even = bits % 2 === 0 ? bits : bits + 1
        expect([...encodeHalf([(low + high) / 2, low + (high - low) * 0.49, low + (high - low) * 0.51])]).toEqual([even, bits, bits + 1])
      }),
    )
  })
})
