import { describe, expect, it } from 'vitest'
import type { Address } from '../../../src/domain/hex.ts'
import { type SlotClaim, spreadSlots } from '../../../src/miner/spreadSlots.ts'
import { createRandom, toChiSquare, toCriticalValue } from '../../support/chiSquare.ts'
import { createCoordinator, createMiner, endRigsAfterEach, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()

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

describe('polls', () => {
  it('go to each coordinator in its turns, with one slot for three of them', async () => {
    const nodes = ['aa', 'bb', 'cc'].map((byte): Address => `0x${byte.repeat(20)}`)
    const coordinators = await Promise.all(nodes.map((node) => createCoordinator({ node, pollMs: 60_000 })))
    const records = coordinators.map((coordinator, index) => toRecord(coordinator, { weightCai: 1_000_000 * (weights[index] as number) }))
    const seed = 5
    const rotationMs = 300
    const rig = await createMiner(records, { config: { slots: 1 }, timing: { rotationMs, pollWaitMs: 60_000 }, random: createRandom(seed) })
    const random = createRandom(seed)
    const claims = records.map(({ node, weightWei }) => ({ key: node, weightWei }))
    const planned = Array.from({ length: 10 }, () => [...spreadSlots(1, claims, random())].find(([, share]) => share === 1)?.[0] as Address)
    expect(new Set(planned)).toEqual(new Set(nodes))
    await Promise.all(coordinators.map((coordinator) => coordinator.waitForCalls('pollTask', 1)))
    await rig.miner.stop()
    const polled = coordinators.flatMap(({ node, calls }) => calls.pollTask.map(({ atMs, body }) => ({ node, atMs, body }))).sort((a, b) => a.atMs - b.atMs)
    // A turn that a slow handshake outlasts is missed; none is taken by another.
    expect(isSubsequence(toChanges(polled.map(({ node }) => node)), toChanges(planned))).toBe(true)
    for (const { body } of polled) expect(body.waitMs).toBeLessThanOrEqual(rotationMs)
    expect(polled.every(({ body }) => body.free === 1)).toBe(true)
  })
})

/** Each different from the one before. */
const toChanges = (nodes: readonly Address[]) => nodes.filter((node, index) => node !== nodes[index - 1])

function isSubsequence(part: readonly Address[], whole: readonly Address[]): boolean {
  let index = 0
  for (const node of whole) if (node === part[index]) index++
  return index === part.length
}
