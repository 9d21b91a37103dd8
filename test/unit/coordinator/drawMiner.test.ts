import { describe, expect, test } from 'vitest'
import { DrawIntervals, drawAttempts, drawMiner } from '../../../src/coordinator/drawMiner.ts'
import { weiPerCai } from '../../../src/domain/amount.ts'
import type { Address } from '../../../src/domain/hex.ts'
import { createRandom, toChiSquare, toCriticalValue } from '../../support/chiSquare.ts'
import { toMinerNode } from '../../support/coordinatorRig.ts'
import { toNumberedHash } from '../../support/storeFixtures.ts'

const cai = [21_000, 21_000, 25_500, 42_000, 84_000, 84_001, 130_000, 300_000, 20_000.5, 999_000]
const nodes = cai.map((_, index) => toMinerNode(index + 1))
const weightsWei = cai.map((value) => BigInt(value * 2) * (weiPerCai / 2n))
const picks = 20_000
const seeds = 20

type Weigh = (wei: bigint) => bigint

function createIntervals(weigh: Weigh): DrawIntervals {
  const intervals = new DrawIntervals()
  intervals.set(new Map(nodes.map((node, index) => [node, weigh(weightsWei[index] as bigint)])))
  return intervals
}

/** χ² of 20,000 draws against weights among those waiting; `share` of the miners wait at a time. */
function measure(seed: number, waitingShare: number, weigh: Weigh = (wei) => wei): number {
  const random = createRandom(seed)
  const intervals = createIntervals(weigh)
  const counts = nodes.map(() => 0)
  const expected = nodes.map(() => 0)
  for (let pick = 0; pick < picks; pick++) {
    const waiting = nodes.map((_, index) => index).filter(() => random() < waitingShare)
    if (waiting.length === 0) continue
    const candidates = new Map(waiting.map((index) => [nodes[index] as Address, { weightWei: weigh(weightsWei[index] as bigint) }]))
    const total = waiting.reduce((sum, index) => sum + (cai[index] as number), 0)
    for (const index of waiting) expected[index] = (expected[index] as number) + (cai[index] as number) / total
    const draw = drawMiner({ intervals, candidates, secret: toNumberedHash(seed), taskKey: toNumberedHash(pick) })
    const index = nodes.indexOf(draw?.miner as Address)
    counts[index] = (counts[index] as number) + 1
  }
  return toChiSquare(counts, expected)
}

const critical = toCriticalValue(nodes.length - 1)
const countRejections = (waitingShare: number) =>
  Array.from({ length: seeds }, (_, seed) => measure(seed + 1, waitingShare)).filter((value) => value > critical).length

describe('fairness: χ² at α = 0.001 over 20 seeds of 20,000 draws, at most one rejected', () => {
  test('the critical value is the table’s', () => expect(toCriticalValue(9)).toBeCloseTo(27.88, 0))

  test('when everybody waits', { timeout: 60_000 }, () => expect(countRejections(1)).toBeLessThanOrEqual(1))

  test('when miners come and go: half of them wait, others each time', { timeout: 60_000 }, () => expect(countRejections(0.5)).toBeLessThanOrEqual(1))

  test('a uniform draw is rejected', () => expect(measure(1, 0.5, () => weiPerCai)).toBeGreaterThan(critical))

  test('a draw by the square of the weight is rejected', () => expect(measure(1, 0.5, (wei) => (wei * wei) / (1000n * weiPerCai))).toBeGreaterThan(critical))
})

describe('drawMiner', () => {
  const intervals = createIntervals((wei) => wei)
  const draw = (candidates: number[], pick = 0) =>
    drawMiner({
      intervals,
      candidates: new Map(candidates.map((index) => [nodes[index] as Address, { weightWei: weightsWei[index] as bigint }])),
      secret: toNumberedHash(3),
      taskKey: toNumberedHash(pick),
    })

  test('is the same draw for whoever has secret, task key and weights', () => {
    expect(draw([0, 5, 9], 7)).toEqual(draw([9, 5, 0], 7))
  })

  test('who waits beside the one that was hit changes nothing', () => {
    const [hit] = Array.from({ length: 100 }, (_, pick) => ({ pick, all: draw([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], pick) })).filter(
      ({ all }) => all?.miner === nodes[9],
    )
    expect(draw([9, 3], hit?.pick)).toEqual(hit?.all)
  })

  test('nobody waits, nobody is drawn', () => expect(draw([])).toBeUndefined())

  test('a candidate outside the intervals is found among those waiting', () => {
    const stranger = toMinerNode(77)
    const found = drawMiner({ intervals, candidates: new Map([[stranger, { weightWei: weiPerCai }]]), secret: toNumberedHash(3), taskKey: toNumberedHash(1) })
    expect(found).toEqual({ miner: stranger, k: drawAttempts })
  })

  test('changed weights count from the next draw on', () => {
    const changing = createIntervals((wei) => wei)
    changing.set(new Map(nodes.map((node, index) => [node, index === 4 ? weiPerCai : 0n])))
    expect([0, 0.3, 0.99].map((point) => changing.find(point))).toEqual([nodes[4], nodes[4], nodes[4]])
    changing.set(new Map([[nodes[2] as Address, weiPerCai]]))
    expect(changing.find(0.5)).toBe(nodes[2])
  })
})
