import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { countThreads } from '../../../src/inference/countThreads.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** The kernel's description of processors, each with the siblings of its core; null: one that is switched off. */
function createProcessors(siblings: readonly (string | null)[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-cpu-'))
  directories.push(directory)
  for (const other of ['cpufreq', 'cpuidle']) mkdirSync(join(directory, other))
  for (const [index, cores] of siblings.entries()) {
    const topology = join(directory, `cpu${index}`, ...(cores === null ? [] : ['topology']))
    mkdirSync(topology, { recursive: true })
    if (cores !== null) writeFileSync(join(topology, 'thread_siblings_list'), `${cores}\n`)
  }
  return directory
}

it.each([
  ['one core', ['0'], 1],
  ['two threads of one core', ['0-1', '0-1'], 1],
  ['a core and one that is switched off', ['0', null], 1],
] as const)('counts %s', (_, siblings, expected) => {
  expect(countThreads(createProcessors(siblings))).toBe(expected)
})

it('counts no more than this process may use', () => {
  expect(countThreads(createProcessors(Array.from({ length: 4_096 }, (_, index) => `${index}`)))).toBe(availableParallelism())
})

it('leaves it to the runtime where the system does not tell', () => {
  expect(countThreads(createProcessors([null, null]))).toBeUndefined()
  expect(countThreads('/nowhere/at/all')).toBeUndefined()
})
