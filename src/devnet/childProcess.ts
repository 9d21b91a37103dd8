import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { devnetStartTimeout } from '../errors/devnet.ts'

/** A process of the network: ended by its pid only, asked first, forced after a grace time. */
export interface Child {
  readonly name: string
  readonly pid: number
  /** resolves with the exit code, or null after a signal */
  readonly exited: Promise<number | null>
  stop(graceMs: number): Promise<void>
}

function toChild(name: string, child: ChildProcess): Child {
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  return {
    name,
    pid: child.pid ?? -1,
    exited,
    async stop(graceMs) {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await exited
      clearTimeout(force)
    },
  }
}

/**
 * Starts `command` with stderr in `logFile`, and waits for the first line of its stdout that `isReady` takes. Later lines go
 * to `onLine`. Resolves with the running child and that line.
 * @throws CUCKOO_DEVNET_START_TIMEOUT when no such line comes in time or the process ends first; the process is ended then
 */
export async function startChild(options: {
  name: string
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  logFile: string
  isReady: (line: string) => boolean
  onLine?: (line: string) => void
  timeoutMs: number
}): Promise<{ child: Child; readyLine: string }> {
  const spawned = spawn(options.command, options.args, {
    env: options.env,
    stdio: ['ignore', 'pipe', openSync(options.logFile, 'a', 0o600)],
  })
  await Promise.race([once(spawned, 'spawn'), once(spawned, 'error').then(([error]) => Promise.reject(error))])
  const child = toChild(options.name, spawned)
  let found: ((line: string) => void) | null = null
  const ready = new Promise<string>((resolve) => {
    found = resolve
  })
  let rest = ''
  spawned.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (found && options.isReady(line)) {
        found(line)
        found = null
      } else options.onLine?.(line)
    }
  })
  const timer = Promise.withResolvers<null>()
  const timeout = setTimeout(() => timer.resolve(null), options.timeoutMs)
  const readyLine = await Promise.race([ready, child.exited.then(() => null), timer.promise])
  clearTimeout(timeout)
  if (readyLine === null) {
    await child.stop(1000)
    throw devnetStartTimeout({
      what: options.name,
      waitedMs: options.timeoutMs,
    })
  }
  return { child, readyLine }
}
