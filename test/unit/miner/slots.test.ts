import { describe, expect, it } from 'vitest'
import { type SlotClaim, spreadSlots } from '../../../src/miner/spreadSlots.ts'
import { createRandom, toChiSquare, toCriticalValue } from '../../support/chiSquare.ts'

const toClaims = (...weightsCai: number[]): SlotClaim[] => weightsCai.map((weight, index) => ({ key: String(index), weightWei: BigInt(weight) * 10n ** 18n }))
const weights = [1, 2, 5]
const turns = 2_000

/** Slots that each of three coordinators gets over many turns. */
function countSlots(slots: number, claims: readonly SlotClaim[], seed: number): number[] {
  const random = createRandom(seed)
  const counts = claims.map(() => 0)
  for (let turn = 0; turn < turns; turn++)
    for (const [key, share] of spreadSlots(slots, claims, random())) counts[Number(key)] = (counts[Number(key)] as number) + share
  return counts
}

/** Seeds of 20 whose counts differ from shares by `expected` weights at α = 0.001. */
function countRejections(slots: number, claims: readonly SlotClaim[], expected: readonly number[]): number {
  const total = expected.reduce((sum, weight) => sum + weight, 0)
  const shares = expected.map((weight) => (turns * slots * weight) / total)
  const seeds = Array.from({ length: 20 }, (_, seed) => seed + 1)
  return seeds.filter((seed) => toChiSquare(countSlots(slots, claims, seed), shares) > toCriticalValue(claims.length - 1)).length
}

describe('slots over three coordinators', () => {
  it.each([1, 2, 3, 7])('follow their weight over time, with %i slots (χ², α = 0.001, 20 seeds)', (slots) => {
    expect(countRejections(slots, toClaims(...weights), weights)).toBeLessThanOrEqual(1)
  })

  it.each([1, 2, 3, 7])('and neither an even spread nor one by the square would pass, with %i slots', (slots) => {
    expect(countRejections(slots, toClaims(1, 1, 1), weights)).toBe(20)
    expect(countRejections(slots, toClaims(...weights.map((weight) => weight ** 2)), weights)).toBe(20)
  })
})

describe('spreadSlots', () => {
  it('gives whole quotas for sure, at every point', () => {
    for (const point of [0, 0.1, 0.5, 0.999_999]) {
      expect(Object.fromEntries(spreadSlots(8, toClaims(1, 2, 5), point))).toEqual({ 0: 1, 1: 2, 2: 5 })
      expect(Object.fromEntries(spreadSlots(4, toClaims(3, 1), point))).toEqual({ 0: 3, 1: 1 })
      expect([...spreadSlots(5, [], point)]).toEqual([])
    }
  })

  it('gives out every slot, at every point, to everybody the same in whichever order they are named', () => {
    const random = createRandom(7)
    const claims = toClaims(5, 0, 5, 1_000_000_000)
    for (let slots = 1; slots <= 64; slots++) {
      const point = random()
      const shares = spreadSlots(slots, claims, point)
      expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBe(slots)
      expect(spreadSlots(slots, claims.toReversed(), point)).toEqual(shares)
    }
  })
})
