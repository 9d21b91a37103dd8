import { expect, it } from 'vitest'
import type { CuckooError } from '../../../src/errors/cuckooError.ts'
import { inferenceDisposed } from '../../../src/errors/inference.ts'
import { createRuns } from '../../../src/inference/createRuns.ts'
import { createExclusive } from '../../../src/inference/exclusive.ts'
import { createStandstill, watchQueue } from '../../../src/inference/standstill.ts'

/** Runs that write down when they begin and when the worker has them; the first of them waits for `release`. */
function createRig(findEnd?: () => CuckooError | null) {
  const runs = createRuns({ queue: watchQueue(createExclusive(), createStandstill(), 'a/b'), letGoMs: Number.POSITIVE_INFINITY, ...(findEnd && { findEnd }) })
  const log: string[] = []
  const run = (name: string, signal?: AbortSignal, begin: Promise<void> = Promise.resolve()) => {
    const onBegin = () => {
      log.push(`${name} begins`)
      return begin
    }
    const start = async () => {
      log.push(`${name} runs`)
      return name
    }
    return runs.run(start, { onBegin, ...(signal !== undefined && { signal }) }).catch((error: unknown) => error)
  }
  return { runs, run, log }
}

it('a run begins when its turn has come, and the worker is given it after that', async () => {
  const { run, log } = createRig()
  const begin = Promise.withResolvers<void>()
  const both = [run('first', undefined, begin.promise), run('second')]
  await new Promise(setImmediate)
  expect(log).toEqual(['first begins'])
  begin.resolve()
  expect(await Promise.all(both)).toEqual(['first', 'second'])
  expect(log).toEqual(['first begins', 'first runs', 'second begins', 'second runs'])
})

it('a run that is aborted while it waits never begins, and one that is while it begins never reaches the worker', async () => {
  const { run, log } = createRig()
  const [beginning, waiting] = [new AbortController(), new AbortController()]
  const begin = Promise.withResolvers<void>()
  const runs = [run('first', beginning.signal, begin.promise), run('second', waiting.signal), run('third')]
  await new Promise(setImmediate)
  waiting.abort('waited')
  beginning.abort('began')
  begin.resolve()
  expect(await Promise.all(runs)).toEqual(['began', 'waited', 'third'])
  expect(log).toEqual(['first begins', 'third begins', 'third runs'])
})

it('a run does not reach the worker when the runs are closed while it begins', async () => {
  const { runs, run, log } = createRig()
  const begin = Promise.withResolvers<void>()
  const first = run('first', undefined, begin.promise)
  await new Promise(setImmediate)
  const closed = inferenceDisposed({ what: 'model a/b' })
  const last = runs.close(closed, async () => 'last')
  begin.resolve()
  expect([await first, await last, log]).toEqual([closed, 'last', ['first begins']])
})

it('a run whose turn comes after the end does not begin', async () => {
  const ended = inferenceDisposed({ what: 'model a/b' })
  let end: CuckooError | null = null
  const { run, log } = createRig(() => end)
  expect(await run('first')).toBe('first')
  end = ended
  expect(await run('second')).toBe(ended)
  expect(log).toEqual(['first begins', 'first runs'])
})
