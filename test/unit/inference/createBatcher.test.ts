import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { inferenceDisposed } from '../../../src/errors/inference.ts'
import { createBatcher } from '../../../src/inference/createBatcher.ts'
import { createRuns } from '../../../src/inference/createRuns.ts'
import { createExclusive } from '../../../src/inference/exclusive.ts'
import { createStandstill, watchQueue } from '../../../src/inference/standstill.ts'
import { toChunks } from '../../../src/inference/toChunks.ts'

const create = (maxWeight: number) => {
  const runs = createRuns({ queue: watchQueue(createExclusive(), createStandstill(), 'a/b'), letGoMs: Number.POSITIVE_INFINITY })
  const batches: number[][] = []
  const batcher = createBatcher<number, number>({
    run: runs.run,
    weigh: (item) => item,
    maxWeight,
    start: async (calls) => {
      batches.push(calls.map(({ item }) => item))
      await wait(5)
      return calls.map(({ item, cancel }) => (new Int32Array(cancel)[0] === 1 ? null : item === 13 ? { error: new Error('unlucky') } : { result: -item }))
    },
  })
  return { runs, batches, batcher }
}

it('takes those that wait together, in order, up to the weight; one that is too heavy goes alone', async () => {
  const { batches, batcher } = create(10)
  expect(await Promise.all([1, 2, 3, 50, 4, 5, 6].map((item) => batcher.run(item)))).toEqual([-1, -2, -3, -50, -4, -5, -6])
  expect(batches).toEqual([[1, 2, 3], [50], [4, 5], [6]])
})

it('takes one by one with no weight to give', async () => {
  const { batches, batcher } = create(0)
  await Promise.all([1, 2, 3].map((item) => batcher.run(item)))
  expect(batches).toEqual([[1], [2], [3]])
})

it('rejects one call with its error, and a cancelled one with its reason, waiting or running', async () => {
  const { batches, batcher } = create(100)
  const [waiting, running] = [new AbortController(), new AbortController()]
  const first = batcher.run(1, running)
  await wait(1)
  const rest = [batcher.run(2), batcher.run(3, waiting), batcher.run(13)]
  const settled = Promise.allSettled([first, ...rest, batcher.run(4, { signal: AbortSignal.abort('never') })])
  waiting.abort('waiting')
  running.abort('running')
  await expect(first).rejects.toBe('running')
  expect((await settled).map((result) => (result.status === 'fulfilled' ? result.value : result.reason))).toEqual([
    'running',
    -2,
    'waiting',
    new Error('unlucky'),
    'never',
  ])
  expect(batches).toEqual([[1], [2, 13]])
})

it('rejects everything with the reason when the runs are closed', async () => {
  const { runs, batcher } = create(100)
  const closed = inferenceDisposed({ what: 'model a/b' })
  const calls = Promise.allSettled([batcher.run(1), batcher.run(2)])
  await wait(1)
  const later = batcher.run(3).catch((error: unknown) => error)
  await runs.close(closed, async () => undefined)
  expect((await calls).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  expect(await later).toBe(closed)
  await expect(batcher.run(4)).rejects.toBe(closed)
})

it('begins the calls of a batch when their turn has come: not one that was aborted, and one that cannot begin fails alone', async () => {
  const { runs, batches, batcher } = create(100)
  const log: string[] = []
  const begin = (name: string) => ({ onBegin: async () => void log.push(name) })
  const gone = new AbortController()
  const before = runs.run(async () => {
    gone.abort('gone')
    log.push('free')
    return 0
  })
  const calls = [
    batcher.run(1, begin('one')),
    batcher.run(2, { ...begin('two'), signal: gone.signal }),
    batcher.run(3, { onBegin: () => Promise.reject('no disk') }),
    batcher.run(4, begin('four')),
  ]
  const settled = (await Promise.allSettled(calls)).map((result) => (result.status === 'fulfilled' ? result.value : result.reason))
  await before
  expect(settled).toEqual([-1, 'gone', 'no disk', -4])
  expect(log).toEqual(['free', 'one', 'four'])
  expect(batches).toEqual([[1, 4]])
})

it('groups texts of like length into chunks that stay in bounds', () => {
  const rows = [3, 400, 5, 9, 4, 900, 10].map((length) => ({ tokenIds: new Array<number>(length).fill(1) }))
  const toLengths = (chunks: { tokenIds: number[] }[][]) => chunks.map((chunk) => chunk.map(({ tokenIds }) => tokenIds.length))
  expect(toLengths(toChunks(rows, true))).toEqual([[900], [400], [10, 9, 5], [4, 3]])
  expect(toLengths(toChunks(rows, false))).toEqual([[3], [400], [5], [9], [4], [900], [10]])
  expect(toLengths(toChunks(new Array(130).fill({ tokenIds: [1] }), true)).map(({ length }) => length)).toEqual([64, 64, 2])
  expect(toChunks(new Array(9).fill({ tokenIds: new Array(1_000).fill(1) }), true).map(({ length }) => length)).toEqual([4, 4, 1])
})
