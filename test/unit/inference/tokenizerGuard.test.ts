import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { CuckooError } from '../../../src/errors/cuckooError.ts'
import { watchTokenizer } from '../../../src/inference/tokenizerGuard.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A watch of 2 s, and the worker's side of it by hand: `begin` as it begins a call of the tokenizer, `end` as it leaves it. */
function createRig() {
  const reasons: CuckooError[] = []
  const workerEnded = Promise.withResolvers<void>()
  const { guard, watch } = watchTokenizer(2_000, (reason) => {
    reasons.push(reason)
    return workerEnded.promise
  })
  const state = new Int32Array(guard)
  const work = Promise.withResolvers<string>()
  const settled: string[] = []
  watch(() => work.promise).then(
    (value) => settled.push(value),
    (error: Error) => settled.push(error.message),
  )
  return {
    reasons,
    settled,
    state,
    work,
    endWorker: workerEnded.resolve,
    begin: (call: number, task: number) => {
      state[1] = task
      state[0] = call
    },
    end: () => {
      state[0] = 0
    },
  }
}

it('many calls that are short, and one of nearly the limit, are left alone', async () => {
  const rig = createRig()
  for (let call = 1; call <= 5; call++) {
    rig.begin(call, 0)
    await vi.advanceTimersByTimeAsync(1_900)
    // The next one begins at once: no look falls between the two.
  }
  rig.end()
  await vi.advanceTimersByTimeAsync(10_000)
  rig.work.resolve('done')
  await vi.advanceTimersByTimeAsync(0)
  expect([rig.reasons, rig.settled]).toEqual([[], ['done']])
})

it('one that is longer ends the worker once, with what it did, two seconds late at the most', async () => {
  const rig = createRig()
  rig.begin(1, 2)
  await vi.advanceTimersByTimeAsync(4_000)
  expect(rig.reasons).toEqual([expect.objectContaining({ code: 'CUCKOO_TOKENIZER_TIMED_OUT', message: expect.stringContaining('decode the tokens') })])
  expect(rig.state[0]).toBe(-1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(rig.reasons).toHaveLength(1)
})

it('what was watched settles only when the worker has ended: until then its device is taken', async () => {
  const rig = createRig()
  rig.begin(1, 0)
  await vi.advanceTimersByTimeAsync(4_000)
  rig.work.reject(new Error('stopped'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(rig.settled).toEqual([])
  rig.endWorker()
  await vi.advanceTimersByTimeAsync(0)
  expect(rig.settled).toEqual(['stopped'])
})

it('nothing is looked at between two pieces of work', async () => {
  const rig = createRig()
  rig.work.resolve('done')
  await vi.advanceTimersByTimeAsync(0)
  rig.begin(1, 0)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(rig.reasons).toEqual([])
})
