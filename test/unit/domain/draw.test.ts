import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toDrawPoint, toDrawRef, toTaskKey, WeightTree } from '../../../src/domain/draw.ts'
import type { Hash } from '../../../src/domain/hex.ts'

const secret: Hash = `0x${'ab'.repeat(32)}`
const taskKey: Hash = `0x${'cd'.repeat(32)}`

describe('WeightTree', () => {
  test('finds the slot whose interval holds the point, as a walk over the weights would', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 70 }), fc.integer({ min: 0, max: 9999 }), (weights, tenThousandth) => {
        const tree = new WeightTree(2)
        for (const [slot, weight] of weights.entries()) tree.set(slot, weight)
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        expect(tree.total).toBe(total)
        const point = tenThousandth / 10_000
        let end = 0
        const expected = weights.findIndex((weight) => {
          end += weight
          return end > point * total
        })
        expect(tree.find(point)).toBe(total === 0 ? -1 : expected)
      }),
    )
  })

  test('weights change in place, and a miner without weight is never found', () => {
    const tree = new WeightTree()
    tree.set(0, 5)
    tree.set(1, 5)
    tree.set(0, 0)
    expect([tree.find(0), tree.find(0.999), tree.total, tree.get(0)]).toEqual([1, 1, 5, 0])
    tree.set(1, 0)
    expect(tree.find(0.5)).toBe(-1)
  })

  test('grows without moving anybody', () => {
    const tree = new WeightTree(2)
    for (let slot = 0; slot < 3000; slot++) tree.set(slot, slot % 7 === 0 ? 2 : 0)
    expect([tree.get(2_996), tree.find(0), tree.find(0.999999)]).toEqual([2, 0, 2996])
  })
})

describe('draw values', () => {
  test('a point is the same for whoever computes it, in [0, 1), and another for each k', () => {
    const points = Array.from({ length: 64 }, (_, k) => toDrawPoint(secret, taskKey, k))
    expect(points[0]).toBe(toDrawPoint(secret, taskKey, 0))
    expect(new Set(points).size).toBe(64)
    expect(points.every((point) => point >= 0 && point < 1)).toBe(true)
  })

  test('points are spread evenly: mean and variance of 20,000', () => {
    const points = Array.from({ length: 20_000 }, (_, index) => toDrawPoint(secret, toTaskKey(String(index), taskKey), 0))
    const mean = points.reduce((sum, point) => sum + point, 0) / points.length
    const variance = points.reduce((sum, point) => sum + (point - mean) ** 2, 0) / points.length
    // Four standard errors of a uniform sample: 0.2887 / √20000 and 0.0745 / √20000.
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.0082)
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.0022)
  })

  test('the task key depends on the app’s nonce and on the input', () => {
    expect(new Set([toTaskKey('a', taskKey), toTaskKey('b', taskKey), toTaskKey('a', secret)]).size).toBe(3)
  })

  test('the reference depends on commitment, index and head', () => {
    expect(new Set([toDrawRef(secret, 1n, taskKey), toDrawRef(secret, 2n, taskKey), toDrawRef(taskKey, 1n, secret), toDrawRef(secret, 1n, secret)]).size).toBe(
      4,
    )
  })
})
