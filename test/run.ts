/**
 * `npm test`: every suite one after another; what failed is told once more at the end, where whoever keeps only the end of a long log
 * finds it; and one last line sums them all: `N passed, N failed, N skipped`. Arguments name suites to run alone (`npm test -- unit chain`).
 * Exit 1 when anything failed.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

interface Tally {
  passed: number
  failed: number
  skipped: number
  /** Each with its reason. */
  failures: string[]
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

/** A suite of which no single test can be named. */
const failWhole = (reason: string): Tally => ({ passed: 0, failed: 1, skipped: 0, failures: [reason] })

/** A check that passes or fails as a whole. */
function createCheck(name: string, script: string): Suite {
  return {
    name,
    run: async () => {
      const { code } = await runCommand('npm', ['run', '--silent', script])
      return code === 0 ? { passed: 1, failed: 0, skipped: 0, failures: [] } : failWhole(`npm run ${script} ended with ${code}`)
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
  const tally: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] }
  const start = output.indexOf('{')
  if (start === -1) return failWhole(`forge ended with ${code} and without a report`)
  for (const [contract, suite] of Object.entries(JSON.parse(output.slice(start)) as Record<string, ForgeResult>)) {
    for (const [test, result] of Object.entries(suite.test_results)) {
      if (result.status === 'Success') tally.passed++
      else if (result.status === 'Skipped') tally.skipped++
      else {
        tally.failed++
        tally.failures.push(`${contract} ${test}: ${result.reason ?? ''} ${JSON.stringify(result.counterexample)}`)
      }
    }
  }
  if (code !== 0 && tally.failed === 0) {
    tally.failed = 1
    tally.failures.push(`forge ended with ${code}, and no test of its report failed`)
  }
  process.stdout.write(`contracts: ${tally.passed} passed, ${tally.failed} failed\n`)
  return tally
}

interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[]
  }[]
}

/** Of a test's file: what failed in it, or why nothing of it ran. */
function listFailures({ name, status, message, assertionResults }: VitestReport['testResults'][number]): string[] {
  const file = relative(process.cwd(), name)
  const failed = assertionResults.filter((test) => test.status === 'failed')
  if (failed.length === 0) return status === 'failed' ? [`${file}: ${message}`] : []
  return failed.map(({ fullName, failureMessages }) => `${file} › ${fullName}\n${failureMessages.join('\n')}`)
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
        const isBroken = code !== 0 && result.numFailedTests === 0
        const failures = result.testResults.flatMap(listFailures)
        return {
          passed: result.numPassedTests,
          failed: result.numFailedTests + Number(isBroken),
          skipped: result.numPendingTests + result.numTodoTests,
          failures: isBroken && failures.length === 0 ? [`vitest ended with ${code}, and no test of its report failed`] : failures,
        }
      } catch (error) {
        return failWhole(`vitest ended with ${code}, and its report cannot be read: ${error instanceof Error ? error.message : String(error)}`)
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

/** As much of a failure as the end of a log has room for. */
const maxFailureLines = 16

const total: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] }
const times: string[] = []
for (const suite of suites.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  process.stdout.write(`\n== ${suite.name}\n`)
  const startedAt = performance.now()
  const tally = await suite.run()
  total.passed += tally.passed
  total.failed += tally.failed
  total.skipped += tally.skipped
  total.failures.push(...tally.failures.map((failure) => `${suite.name}: ${failure}`))
  times.push(
    `${suite.name.padEnd(10)} ${String(tally.passed).padStart(5)} passed ${String(tally.failed).padStart(3)} failed ${String(tally.skipped).padStart(3)} skipped  ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
  )
}
rmSync(scratch, { recursive: true, force: true })
for (const failure of total.failures) process.stdout.write(`\nFAILED ${failure.split('\n').slice(0, maxFailureLines).join('\n')}\n`)
process.stdout.write(`\n${times.join('\n')}\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
