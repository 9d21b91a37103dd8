/**
 * Breaks the contracts one line at a time, in a copy outside the tree, and checks that the tests named for that line turn
 * red: a test that cannot fail proves nothing. Prints one row per breakage; exits 1 when one survives, a named test stays
 * green or an invariant was never red. Each suite is a copy of its own, with its tests and what they import and nothing else,
 * so that a breakage takes 5 to 40 seconds; all of them take about an hour.
 *
 *     node contracts/script/mutate.ts [regular expression that `suite: breakage` must match]
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Breakage, type Suite, suites } from './breakages.ts'
import { createCopy, forge } from './createCopy.ts'

/**
 * Fewer runs than in the suite: each breakage must show soon or it is not caught reliably. Without the optimizer the compiler
 * takes a third of the time, and gas figures mean nothing.
 */
const environment = {
  ...process.env,
  FOUNDRY_OPTIMIZER: 'false',
  FOUNDRY_FUZZ_RUNS: '256',
  // Few and long: a campaign ends with the first run that breaks anything, and each invariant must have had its chance by then.
  FOUNDRY_INVARIANT_RUNS: '8',
  FOUNDRY_INVARIANT_DEPTH: '512',
  FOUNDRY_INVARIANT_CHECK_INTERVAL: '512',
  FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: '0',
  FOUNDRY_INVARIANT_FAIL_ON_REVERT: 'false',
  FOUNDRY_FUZZ_SEED: '0xc0c0',
}

type Results = Record<string, { test_results: Record<string, { status: string; reason: string | null }> }>

/**
 * Runs all tests in `copy` and returns the names of those that failed: the function's, or the name an invariant's message
 * begins with.
 */
function runTests(copy: string): string[] {
  // A counterexample of the breakage before would be replayed first.
  rmSync(join(copy, 'contracts', 'cache', 'invariant'), { recursive: true, force: true })
  rmSync(join(copy, 'contracts', 'cache', 'fuzz'), { recursive: true, force: true })
  const run = spawnSync(process.execPath, [forge, 'test', '--json', '--no-match-contract', 'GasTest'], {
    cwd: copy,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  const start = run.stdout.indexOf('{')
  if (start < 0) throw new Error(`forge gave no results:\n${run.stdout}${run.stderr}`)
  const results: Results = JSON.parse(run.stdout.slice(start))
  const failed: string[] = []
  for (const { test_results: tests } of Object.values(results)) {
    for (const [signature, { status, reason }] of Object.entries(tests)) {
      if (status !== 'Failure') continue
      const name = signature.replace(/\(.*/, '')
      if (name === 'invariant_all') failed.push(...findNames(reason ?? ''))
      else failed.push(name)
    }
  }
  return [...new Set(failed)]
}

/** The invariants in a message as `invariant_all` makes it: `name: what: left != right; name: …`. */
function findNames(reason: string): string[] {
  return [...reason.matchAll(/(?:^|; )(\w+)(?=:)/g)].map((match) => match[1] ?? '')
}

/** What failed in the copy with one line broken, which is mended again; undefined when the line is not there exactly once. */
function runBroken(copy: string, file: string, { from, to }: Breakage): string[] | undefined {
  const path = join(copy, file)
  const text = readFileSync(path, 'utf8')
  const parts = text.split(from)
  if (parts.length !== 2) return undefined
  writeFileSync(path, parts.join(to))
  try {
    return runTests(copy)
  } finally {
    writeFileSync(path, text)
  }
}

/** Prints one breakage's row; true when all that must be red is. */
function printRow(breakage: Breakage, failed: string[], invariants: string[]): boolean {
  const missing = breakage.red.filter((names) => !names.split('|').some((name) => failed.includes(name)))
  const result = failed.length === 0 ? 'SURVIVED' : missing.length === 0 ? 'red' : 'MISSED'
  const broken = failed.filter((name) => invariants.includes(name))
  const indent = ' '.repeat(19)
  process.stdout.write(`${result.padEnd(8)} ${String(failed.length).padStart(3)} fail  ${breakage.name}\n`)
  if (broken.length > 0) process.stdout.write(`${indent}invariants: ${broken.join(', ')}\n`)
  if (missing.length > 0) process.stdout.write(`${indent}still green: ${missing.join(', ')}\n${indent}red: ${failed.join(', ')}\n`)
  return result === 'red'
}

/** Runs the suite's breakages that are `wanted`; returns how many rows are bad, of how many. */
function runSuite(suite: Suite, wanted: RegExp): [bad: number, all: number] {
  const picked = suite.files.map(([file, breakages]) => [file, breakages.filter(({ name }) => wanted.test(`${suite.name}: ${name}`))] as const)
  if (picked.every(([, breakages]) => breakages.length === 0)) return [0, 0]
  process.stdout.write(`${suite.name}\n`)
  const copy = createCopy(suite.tests)
  const seen = new Set<string>()
  let [bad, all] = [0, 0]
  try {
    const unbroken = runTests(copy)
    if (unbroken.length > 0) throw new Error(`red before anything is broken: ${unbroken.join(', ')}`)
    for (const [file, breakages] of picked) {
      for (const breakage of breakages) {
        const failed = runBroken(copy, file, breakage)
        all += 1
        if (failed === undefined) {
          process.stdout.write(`NO LINE           ${breakage.name}: ${file} has changed\n`)
          bad += 1
          continue
        }
        for (const name of failed) seen.add(name)
        if (!printRow(breakage, failed, suite.invariants)) bad += 1
      }
    }
  } finally {
    rmSync(copy, { recursive: true })
  }
  const unseen = suite.invariants.filter((name) => !seen.has(name))
  if (process.argv[2] === undefined && unseen.length > 0) {
    process.stdout.write(`never red: ${unseen.join(', ')}\n`)
    bad += 1
  }
  return [bad, all]
}

const wanted = new RegExp(process.argv[2] ?? '')
let [bad, all] = [0, 0]
for (const suite of suites) {
  const [badHere, allHere] = runSuite(suite, wanted)
  bad += badHere
  all += allHere
}
process.stdout.write(`${all - bad} of ${all} breakages are caught\n`)
if (bad > 0) process.exitCode = 1
