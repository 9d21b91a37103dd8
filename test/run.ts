/**
 * `npm test`: every suite one after another, and one last line that sums them all: `N passed, N failed, N skipped`.
 * Arguments name suites to run alone (`npm test -- unit chain`). Exit 1 when anything failed.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Tally {
  passed: number
  failed: number
  skipped: number
}
interface Suite {
  name: string
  run: () => Promise<Tally>
}

const scratch = mkdtempSync(join(tmpdir(), 'cuckoo-test-'))

/** Runs one command with its output on the screen; resolves with its exit code and, with `capture`, what it printed. */
function runCommand(command: string, args: string[], capture = false): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    })
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** A check that passes or fails as a whole. */
function createCheck(name: string, script: string): Suite {
  return {
    name,
    run: async () => {
      const { code } = await runCommand('npm', ['run', '--silent', script])
      return {
        passed: code === 0 ? 1 : 0,
        failed: code === 0 ? 0 : 1,
        skipped: 0,
      }
    },
  }
}

interface ForgeResult {
  test_results: Record<
    string,
    {
      status: 'Success' | 'Failure' | 'Skipped'
      reason: string | null
      counterexample: unknown
    }
  >
}

async function runForge(): Promise<Tally> {
  // One seed, so that a red run can be run again; `npm run test:contracts:deep` draws its own. Gas is measured on what is
  // deployed, by the suite of that name.
  const { code, output } = await runCommand('forge', ['test', '--json', '--fuzz-seed', '0xc0c0', '--no-match-contract', 'GasTest'], true)
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  const start = output.indexOf('{')
  if (start === -1) return { passed: 0, failed: 1, skipped: 0 }
  for (const [contract, suite] of Object.entries(JSON.parse(output.slice(start)) as Record<string, ForgeResult>)) {
    for (const [test, result] of Object.entries(suite.test_results)) {
      if (result.status === 'Success') tally.passed++
      else if (result.status === 'Skipped') tally.skipped++
      else {
        tally.failed++
        process.stdout.write(`FAIL ${contract} ${test}: ${result.reason ?? ''} ${JSON.stringify(result.counterexample)}\n`)
      }
    }
  }
  if (code !== 0 && tally.failed === 0) tally.failed = 1
  process.stdout.write(`contracts: ${tally.passed} passed, ${tally.failed} failed\n`)
  return tally
}

interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  numFailedTestSuites: number
}

function createVitest(project: string): Suite {
  return {
    name: project,
    run: async () => {
      const report = join(scratch, `${project}.json`)
      const { code } = await runCommand('vitest', [
        'run',
        '--config',
        'test/vitest.config.ts',
        '--project',
        project,
        '--reporter',
        'default',
        '--reporter',
        'json',
        `--outputFile.json=${report}`,
      ])
      try {
        const result = JSON.parse(readFileSync(report, 'utf8')) as VitestReport
        const broken = code !== 0 && result.numFailedTests === 0 ? 1 : 0
        return {
          passed: result.numPassedTests,
          failed: result.numFailedTests + broken,
          skipped: result.numPendingTests + result.numTodoTests,
        }
      } catch {
        return { passed: 0, failed: 1, skipped: 0 }
      }
    },
  }
}

const suites: Suite[] = [
  createCheck('build', 'build'),
  createCheck('check', 'check'),
  { name: 'contracts', run: runForge },
  createCheck('gas', 'check:gas'),
  ...['unit', 'store', 'api', 'chain', 'inference', 'e2e'].map(createVitest),
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name))
if (unknown.length > 0) {
  process.stderr.write(`no suite '${unknown.join("', '")}'; there are ${suites.map((suite) => suite.name).join(', ')}\n`)
  process.exit(2)
}

const total: Tally = { passed: 0, failed: 0, skipped: 0 }
const times: string[] = []
for (const suite of suites.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  process.stdout.write(`\n== ${suite.name}\n`)
  const startedAt = performance.now()
  const tally = await suite.run()
  total.passed += tally.passed
  total.failed += tally.failed
  total.skipped += tally.skipped
  times.push(
    `${suite.name.padEnd(10)} ${String(tally.passed).padStart(5)} passed ${String(tally.failed).padStart(3)} failed ${String(tally.skipped).padStart(3)} skipped  ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
  )
}
rmSync(scratch, { recursive: true, force: true })
process.stdout.write(`\n${times.join('\n')}\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
