/**
 * Breaks the contracts one line at a time, in a copy outside the tree, and checks that the tests named for that line turn
 * red: a test that cannot fail proves nothing. Prints one row per breakage; exits 1 when one survives or a named test stays
 * green. Takes some 15 seconds per breakage.
 *
 *     node contracts/script/mutate.ts [regular expression that a breakage's name must match]
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Breakage, files, invariants } from './breakages.ts'

const root = join(import.meta.dirname, '..', '..')
const forge = join(root, 'node_modules', '@foundry-rs', 'forge', 'bin.mjs')

/**
 * Fewer runs than in the suite: each breakage must show soon or it is not caught reliably. Without the optimizer the compiler
 * takes a third of the time, and gas figures mean nothing.
 */
const environment = {
  ...process.env,
  FOUNDRY_OPTIMIZER: 'false',
  FOUNDRY_FUZZ_RUNS: '256',
  FOUNDRY_INVARIANT_RUNS: '32',
  FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: '0',
  // Whole runs, so that every invariant has its chance to break, not the first alone.
  FOUNDRY_INVARIANT_CHECK_INTERVAL: '128',
  FOUNDRY_INVARIANT_FAIL_ON_REVERT: 'false',
  FOUNDRY_FUZZ_SEED: '0xc0c0',
}

type Suites = Record<string, { test_results: Record<string, { status: string; reason: string | null }> }>

function createCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), 'cuckoo-mutate-'))
  for (const path of ['contracts', 'foundry.toml', 'package.json']) {
    cpSync(join(root, path), join(copy, path), {
      recursive: true,
      filter: (source) => !['out', 'cache'].includes(basename(source)),
    })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir')
  return copy
}

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
  const suites: Suites = JSON.parse(run.stdout.slice(start))
  const failed: string[] = []
  for (const { test_results: results } of Object.values(suites)) {
    for (const [signature, { status, reason }] of Object.entries(results)) {
      if (status !== 'Failure') continue
      const name = signature.replace(/\(.*/, '')
      if (name === 'invariant_all') failed.push(...namesIn(reason ?? ''))
      else failed.push(name)
    }
  }
  return failed
}

/** The invariants in a message as `invariant_all` makes it: `name: what: left != right; name: …`. */
function namesIn(reason: string): string[] {
  return [...reason.matchAll(/(?:^|; )(\w+)(?=:)/g)].map((match) => match[1] ?? '')
}

/** The copy with one line broken, tested, and mended again. */
function runBroken(copy: string, file: string, { name, from, to }: Breakage): string[] {
  const path = join(copy, file)
  const text = readFileSync(path, 'utf8')
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`'${name}': its line occurs ${parts.length - 1} times in ${file}`)
  writeFileSync(path, parts.join(to))
  try {
    return runTests(copy)
  } finally {
    writeFileSync(path, text)
  }
}

const wanted = new RegExp(process.argv[2] ?? '')
const copy = createCopy()
let bad = 0
const seen = new Set<string>()
try {
  const unbroken = runTests(copy)
  if (unbroken.length > 0) throw new Error(`red before anything is broken: ${unbroken.join(', ')}`)
  for (const [file, breakages] of files) {
    for (const breakage of breakages) {
      if (!wanted.test(breakage.name)) continue
      const failed = runBroken(copy, file, breakage)
      const missing = breakage.red.filter((names) => !names.split('|').some((name) => failed.includes(name)))
      if (missing.length > 0) bad += 1
      for (const name of failed) seen.add(name)
      const result = missing.length === 0 ? 'red' : failed.length === 0 ? 'SURVIVED' : 'MISSED'
      const broken = new Set(failed.filter((name) => invariants.includes(name)))
      process.stdout.write(`${result.padEnd(8)} ${String(failed.length).padStart(3)} fail  ${breakage.name}\n`)
      if (broken.size > 0) process.stdout.write(`${' '.repeat(19)}invariants: ${[...broken].join(', ')}\n`)
      if (missing.length > 0) process.stdout.write(`${' '.repeat(19)}still green: ${missing.join(', ')}\n`)
    }
  }
} finally {
  rmSync(copy, { recursive: true })
}
const unseen = invariants.filter((name) => !seen.has(name))
if (process.argv[2] === undefined && unseen.length > 0) {
  process.stdout.write(`never red: ${unseen.join(', ')}\n`)
  bad += 1
}
if (bad > 0) process.exitCode = 1
