import { expect, it } from 'vitest'
import { createBatcher } from '../../../src/inference/createBatcher.ts'
import { createRuns } from '../../../src/inference/createRuns.ts'
import { createExclusive } from '../../../src/inference/exclusive.ts'
import { createStandstill, watchQueue } from '../../../src/inference/standstill.ts'

const stuckCode = 'CUCKOO_INFERENCE_STUCK'
const never = new Promise<never>(() => undefined)

/** Runs that nobody lets go of before `end` is called, and what was heard of that. */
function createRig(letGoMs: number) {
  const standstill = createStandstill()
  const heard: boolean[] = []
  const changed = Promise.withResolvers<void>()
  standstill.onChange((isStuck) => {
    heard.push(isStuck)
    changed.resolve()
  })
  const runs = createRuns({ queue: watchQueue(createExclusive(), standstill, 'a/b'), letGoMs })
  const end = Promise.withResolvers<null>()
  return { standstill, heard, changed: changed.promise, runs, end: () => end.resolve(null), hang: () => end.promise }
}

it('a run that is aborted and does not let go makes its queue refuse those that wait and those that come, until it does', async () => {
  const { standstill, heard, changed, runs, end, hang } = createRig(20)
  const app = new AbortController()
  const letGo: string[] = []
  const onBegin = async (ended: Promise<unknown>) => void ended.finally(() => letGo.push('let go')).catch(() => undefined)
  const hung = runs.run(hang, { signal: app.signal, onBegin })
  const waiting = runs.run(async () => 'never runs').catch((error: unknown) => error)
  await new Promise(setImmediate)
  app.abort(new Error('cancelled'))
  await expect(hung).rejects.toThrow('cancelled')
  await changed
  expect(await waiting).toMatchObject({ code: stuckCode })
  await expect(runs.run(async () => 'never runs')).rejects.toMatchObject({ code: stuckCode })
  expect([heard, letGo]).toEqual([[true], []])
  const free = new Promise<void>((resolve) => standstill.onChange(() => resolve()))
  end()
  await free
  expect([heard, letGo]).toEqual([[true, false], ['let go']])
  expect(await runs.run(async () => 'runs')).toBe('runs')
})

it('a run that nobody aborts is never too long, nor one that lets go in time', async () => {
  const { heard, runs, end, hang } = createRig(20)
  const long = runs.run(hang).catch(() => 'ended')
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(heard).toEqual([])
  end()
  await long
  const quick = createRig(3_600_000)
  const app = new AbortController()
  const cancelled = quick.runs.run(quick.hang, { signal: app.signal }).catch((error: Error) => error.message)
  await new Promise(setImmediate)
  app.abort(new Error('cancelled'))
  quick.end()
  expect(await cancelled).toBe('cancelled')
  expect(await quick.runs.run(async () => 'next')).toBe('next')
  expect(quick.heard).toEqual([])
})

it('so is a run that is closed, and one that several calls share once all of them are aborted', async () => {
  const closing = createRig(20)
  const run = closing.runs.run(closing.hang).catch(() => 'ended')
  await new Promise(setImmediate)
  void closing.runs.close(new Error('closed') as never, async () => null)
  await closing.changed
  closing.end()
  expect(await run).toBe('ended')

  const shared = createRig(20)
  const batcher = createBatcher<number, number>({ run: shared.runs.run, weigh: () => 1, maxWeight: 10, start: () => never })
  const [one, two] = [new AbortController(), new AbortController()]
  const calls = [one, two].map(({ signal }, item) => batcher.run(item, { signal }).catch((error: Error) => error.message))
  await new Promise(setImmediate)
  one.abort(new Error('cancelled'))
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(shared.heard).toEqual([])
  two.abort(new Error('cancelled too'))
  await shared.changed
  expect(await Promise.all(calls)).toEqual(['cancelled', 'cancelled too'])
  expect(shared.heard).toEqual([true])
})
