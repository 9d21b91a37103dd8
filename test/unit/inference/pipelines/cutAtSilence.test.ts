import { describe, expect, it } from 'vitest'
import { cutAtSilence } from '../../../../src/inference/pipelines/cutAtSilence.ts'

const rate = 1_000

describe('cutAtSilence', () => {
  it('leaves short audio whole', () => {
    const audio = new Float32Array(30 * rate).fill(0.5)
    expect(cutAtSilence(audio, rate, 30)).toEqual([audio])
  })

  it('cuts in the quiet of the last five seconds, and loses nothing', () => {
    const audio = Float32Array.from({ length: 70 * rate }, (_, index) => 0.5 + index / 1e6)
    audio.fill(0, 3 * rate, 5 * rate).fill(0, 27 * rate, 27.2 * rate)
    const pieces = cutAtSilence(audio, rate, 30)
    expect(pieces.every(({ length }) => length <= 30 * rate)).toBe(true)
    expect(pieces[0]?.length).toBeGreaterThanOrEqual(27 * rate)
    expect(pieces[0]?.length).toBeLessThanOrEqual(27.2 * rate)
    expect(Float32Array.from(pieces.flatMap((piece) => [...piece]))).toEqual(audio)
  })
})
