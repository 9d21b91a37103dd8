import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const cuckooScript = fileURLToPath(new URL('../../bin/cuckoo.js', import.meta.url))

export interface CuckooRun {
  code: number | null
  stdout: string
  stderr: string
}

export interface CuckooOptions {
  home: string
  env?: NodeJS.ProcessEnv
  stdin?: string
  timeoutMs?: number
}

/** Environment without the caller's own cuckoo settings. */
function toEnvironment(options: CuckooOptions): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('CUCKOO_'))
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', CUCKOO_HOME: options.home, ...options.env }
}

/** Runs the real binary to its end, without a terminal. */
export async function runCuckoo(args: readonly string[], options: CuckooOptions): Promise<CuckooRun> {
  const child = spawn(process.execPath, [cuckooScript, ...args], { env: toEnvironment(options), stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.end(options.stdin ?? '')
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return { code, stdout, stderr }
}

/** Runs with `--json` and gives the last object printed. Fails with the error's text when the exit code is not 0. */
export async function runCuckooJson<T = Record<string, unknown>>(args: readonly string[], options: CuckooOptions): Promise<T> {
  const run = await runCuckoo([...args, '--json'], options)
  if (run.code !== 0) throw new Error(`cuckoo ${args.join(' ')} ended with ${run.code}: ${run.stderr}`)
  return JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as T
}

/** The JSON error that a failing command prints on stderr, and its exit code. */
export async function failCuckoo(
  args: readonly string[],
  options: CuckooOptions,
): Promise<{ code: number | null; error: { code: string; message: string; hint?: string } }> {
  const run = await runCuckoo([...args, '--json'], options)
  const { error } = JSON.parse(run.stderr.trim().split('\n').at(-1) ?? '{}') as { error: { code: string; message: string; hint?: string } }
  return { code: run.code, error }
}

export interface RunningCuckoo {
  process: ChildProcess
  pid: number
  /** every line of stdout so far, parsed */
  events: Record<string, unknown>[]
  /** the first event, past or coming, that `matches` takes */
  waitFor(matches: (event: Record<string, unknown>) => boolean, timeoutMs?: number): Promise<Record<string, unknown>>
  stderr(): string
  exited: Promise<number | null>
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts a long-running command with `--json`; its NDJSON events can be waited for. The caller stops it. */
export function startCuckoo(args: readonly string[], options: CuckooOptions): RunningCuckoo {
  const child = spawn(process.execPath, [cuckooScript, ...args, '--json'], { env: toEnvironment(options), stdio: ['ignore', 'pipe', 'pipe'] })
  const events: Record<string, unknown>[] = []
  const waiters = new Set<() => void>()
  let rest = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.filter((candidate) => candidate.startsWith('{'))) events.push(JSON.parse(line) as Record<string, unknown>)
    for (const check of waiters) check()
  })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  return {
    process: child,
    pid: child.pid ?? -1,
    events,
    stderr: () => stderr,
    exited,
    waitFor(matches, timeoutMs = 60_000) {
      return new Promise((resolve, reject) => {
        const check = () => {
          const found = events.find(matches)
          if (!found) return
          finish()
          resolve(found)
        }
        const fail = (reason: string) => {
          finish()
          reject(new Error(`cuckoo ${args.join(' ')}: ${reason}\nevents: ${JSON.stringify(events.slice(-5))}\nstderr: ${stderr.slice(-2000)}`))
        }
        const timer = setTimeout(() => fail(`no such event within ${timeoutMs} ms`), timeoutMs)
        const finish = () => {
          clearTimeout(timer)
          waiters.delete(check)
        }
        waiters.add(check)
        exited.then((code) => fail(`ended with ${code}`))
        check()
      })
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return exited
    },
  }
}
