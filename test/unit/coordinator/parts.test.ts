import { describe, expect, test } from 'vitest'
import { toLeaseMs } from '../../../src/coordinator/assignments.ts'
import { maxAttempts, mayTry, toNextState } from '../../../src/coordinator/candidates.ts'
import { Notifier } from '../../../src/coordinator/notifier.ts'
import { TaskQueue } from '../../../src/coordinator/taskQueue.ts'
import { TaskStream, toCertainText } from '../../../src/coordinator/taskStream.ts'
import type { AttemptFailure } from '../../../src/domain/task.ts'
import { minerLeft } from '../../../src/errors/coordinator.ts'
import { assignmentUnderpriced } from '../../../src/errors/miner.ts'
import { createLetterTokenizers, toLetterIds, toMinerNode } from '../../support/coordinatorRig.ts'
import { toNumberedHash } from '../../support/storeFixtures.ts'

const [a, b, c] = [toMinerNode(1), toMinerNode(2), toMinerNode(3)]
const failedBy = (...miners: `0x${string}`[]): AttemptFailure[] =>
  miners.map((miner, index) => ({ attempt: index + 1, miner, code: 'CUCKOO_TEST', message: '', at: 1 }))
const leftBy = (...miners: `0x${string}`[]): AttemptFailure[] => failedBy(...miners).map((failure) => ({ ...failure, code: minerLeft.code }))

describe('who may try a task again', () => {
  test('a miner that failed waits while another one is there; when all have failed, each is tried once more', () => {
    expect([mayTry(a, failedBy(a), [a, b]), mayTry(b, failedBy(a), [a, b])]).toEqual([false, true])
    expect([mayTry(a, failedBy(a), [a]), mayTry(a, failedBy(a, b), [a, b])]).toEqual([true, true])
    expect(mayTry(a, failedBy(a, a), [a])).toBe(false)
    expect(mayTry(a, leftBy(a, a, a), [a, b])).toBe(true)
  })

  test('dead after three miners, or when the tries of all that are there are used up; without a miner it waits', () => {
    expect(toNextState(failedBy(a, b), [a, b, c])).toBe('queued')
    expect(toNextState(failedBy(a, b, c), [])).toBe('dead')
    expect(toNextState(failedBy(a, a), [a])).toBe('dead')
    expect(toNextState(failedBy(a, a), [])).toBe('queued')
    expect(toNextState(failedBy(a, a), [a, b])).toBe('queued')
    expect(toNextState(leftBy(a, b, c), [a])).toBe('queued')
    expect(toNextState(leftBy(...Array.from({ length: maxAttempts }, () => a)), [a])).toBe('dead')
  })
})

describe('a task given back for its price', () => {
  const tooCheapFor = (...miners: `0x${string}`[]) => failedBy(...miners).map((failure) => ({ ...failure, code: assignmentUnderpriced.code }))

  test('blames nobody, and is not offered to the same miner again', () => {
    expect(mayTry(a, tooCheapFor(a), [a])).toBe(false)
    expect(toNextState(tooCheapFor(a, b, c), [a, b, c, toMinerNode(4)])).toBe('queued')
  })

  test('is dead once all that are there have given it back', () => {
    expect(toNextState(tooCheapFor(a, b), [a, b])).toBe('dead')
    expect(toNextState(tooCheapFor(a, b), [])).toBe('queued')
  })
})

describe('toLeaseMs', () => {
  test.each([
    [0, 20_000],
    [20, 10_000],
    [1_000, 6_000],
    [1, 20_000],
  ])('100 units at %d per second: %d ms', (unitsPerSecond, leaseMs) => {
    expect(toLeaseMs({ config: { leaseMs: 20_000, heartbeatMs: 2_000 }, record: { maxPriceWei: 100n, unitPriceWei: 1n }, unitsPerSecond })).toBe(leaseMs)
  })
})

describe('TaskQueue', () => {
  test('first in, first out; any may leave, also during a walk', () => {
    const queue = new TaskQueue<number>()
    for (const item of [1, 2, 3, 4, 2]) queue.pushBack(item)
    expect([queue.size, queue.first]).toEqual([4, 1])
    const seen = []
    for (const item of queue) {
      seen.push(item)
      if (item !== 3) queue.remove(item)
    }
    expect(seen).toEqual([1, 2, 3, 4])
    expect([[...queue], queue.remove(9), queue.remove(3), queue.first, queue.size]).toEqual([[3], false, true, undefined, 0])
    queue.pushBack(5)
    expect([...queue]).toEqual([5])
  })
})

describe('Notifier', () => {
  test('wakes by change, abort or time, and keeps nobody after that', async () => {
    const notifier = new Notifier()
    const leaving = new AbortController()
    const waits = [notifier.wait(new AbortController().signal), notifier.wait(leaving.signal), notifier.wait(new AbortController().signal, 5)]
    expect(notifier.waiting).toBe(3)
    leaving.abort()
    await waits[1]
    await waits[2]
    expect(notifier.waiting).toBe(1)
    notifier.notify()
    await waits[0]
    expect(notifier.waiting).toBe(0)
    await notifier.wait(leaving.signal)
  })
})

describe('TaskStream', () => {
  const create = (stop: string[] = []) =>
    new TaskStream(toNumberedHash(1), async () => ({ tokenizer: await createLetterTokenizers().openTokenizer(new Map()), stop }))
  const readAll = async (stream: TaskStream): Promise<string[]> => {
    const pieces: string[] = []
    for await (const piece of stream.read(new AbortController().signal)) pieces.push(piece)
    return pieces
  }

  test('what may begin a stop string is held back until it is clear', () => {
    expect(toCertainText('One day.\nTh', ['\nThe end'])).toBe('One day.')
    expect(toCertainText('One day.\nTx', ['\nThe end'])).toBe('One day.\nTx')
    expect(toCertainText('One day.\nThe end.', ['day', '\nThe end'])).toBe('One ')
    expect(toCertainText('aab', ['aabaa', 'b!'])).toBe('')
    expect(toCertainText('text', [])).toBe('text')
  })

  test('many readers see the whole text, each from its beginning', async () => {
    const stream = create()
    const first = readAll(stream)
    stream.push(1, 0, toLetterIds('ab'), 10)
    await new Promise((resolve) => setTimeout(resolve, 5))
    const second = readAll(stream)
    await stream.finish(toLetterIds('abcd'))
    expect((await first).join('')).toBe('abcd')
    expect((await second).join('')).toBe('abcd')
    expect(stream.readers).toBe(0)
  })

  test('a second attempt may say something else as long as nobody has read anything', async () => {
    const stream = create()
    stream.push(1, 0, toLetterIds('xyz'), 10)
    stream.push(2, 0, toLetterIds('ab'), 10)
    const reading = readAll(stream)
    await stream.finish(toLetterIds('abc'))
    expect((await reading).join('')).toBe('abc')
    expect(stream.hasDiverged).toBe(false)
  })

  test('a shorter second attempt diverges when more has been read', async () => {
    const stream = create()
    const reading = readAll(stream)
    stream.push(1, 0, toLetterIds('abc'), 10)
    await new Promise((resolve) => setTimeout(resolve, 5))
    await stream.finish(toLetterIds('ab'))
    await reading
    expect(stream.hasDiverged).toBe(true)
  })

  test('a tokenizer that breaks ends the stream with its error, and nobody waits for ever', async () => {
    const stream = new TaskStream(toNumberedHash(1), () => Promise.reject(new Error('broken')))
    const reading = expect(readAll(stream)).rejects.toThrow('broken')
    stream.push(1, 0, toLetterIds('abc'), 10)
    await reading
    await stream.finish(toLetterIds('abc'))
  })
})
