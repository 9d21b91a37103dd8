import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createExclusive } from '../../../src/inference/exclusive.ts'

it('runs one at a time, in order, and goes on after a failure', async () => {
  const exclusive = createExclusive()
  const log: string[] = []
  const task =
    (name: string, fail = false) =>
    async () => {
      log.push(`${name} starts`)
      await wait(5)
      log.push(`${name} ends`)
      if (fail) throw new Error(name)
      return name
    }
  const results = await Promise.allSettled([exclusive.run(task('a')), exclusive.run(task('b', true)), exclusive.run(task('c'))])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends'])
})

it('rejects a waiting task at once when its signal aborts, and never starts it', async () => {
  const exclusive = createExclusive()
  let release = () => {}
  const first = exclusive.run(
    () =>
      new Promise<void>((resolve) => {
        release = resolve
      }),
  )
  const controller = new AbortController()
  let started = false
  const second = exclusive.run(async () => {
    started = true
  }, controller.signal)
  controller.abort(new Error('not wanted'))
  await expect(second).rejects.toThrow('not wanted')
  release()
  await first
  await exclusive.run(async () => {})
  expect(started).toBe(false)
})
