import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { devnetStartTimeout } from '../errors/devnet.ts'
import { ownGroup } from './ownGroup.ts'
import { toChildFailed } from './runCommand.ts'

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

export interface ChildOptions {
  name: string
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  logFile: string
  isReady: (line: string) => boolean
  timeoutMs: number
  /** called as soon as the process is there, ready or not */
  onStarted: (child: Child) => void
  signal?: AbortSignal | undefined
}

/**
 * Starts `command` with stderr in `logFile`, and waits for the first line of its stdout that `isReady` takes. Resolves with the
 * running child and that line.
 * @throws CUCKOO_DEVNET_START_TIMEOUT when no such line comes in time, CUCKOO_DEVNET_CHILD_FAILED when the process ends first, the
 * signal's reason when it is aborted; the process is ended then
 */
export async function startChild(options: ChildOptions): Promise<{ child: Child; readyLine: string }> {
  options.signal?.throwIfAborted()
  const log = openSync(options.logFile, 'w', 0o600)
  const spawned = spawn(options.command, options.args, { ...ownGroup, env: options.env, stdio: ['ignore', 'pipe', log] })
  closeSync(log)
  await Promise.race([once(spawned, 'spawn'), once(spawned, 'error').then(([error]) => Promise.reject(error))])
  const child = toChild(options.name, spawned)
  options.onStarted(child)
  const failed = Promise.withResolvers<never>()
  const fail = () => failed.reject(options.signal?.reason)
  options.signal?.addEventListener('abort', fail, { once: true })
  const timeout = setTimeout(() => failed.reject(devnetStartTimeout({ what: options.name, waitedMs: options.timeoutMs })), options.timeoutMs)
  const ended = child.exited.then((exitCode): never => {
    throw toChildFailed(options.name, exitCode, readFileSync(options.logFile, 'utf8'))
  })
  ended.catch(() => {})
  try {
    return { child, readyLine: await Promise.race([readUntil(spawned, options.isReady), ended, failed.promise]) }
  } catch (error) {
    await child.stop(1000)
    throw error
  } finally {
    clearTimeout(timeout)
    options.signal?.removeEventListener('abort', fail)
  }
}

/** The first line of stdout that `isReady` takes. What comes later is read and forgotten. */
function readUntil(spawned: ChildProcess, isReady: (line: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let rest = ''
    let isFound = false
    spawned.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (isFound) return
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      const found = lines.find(isReady)
      if (found === undefined) return
      isFound = true
      resolve(found)
    })
  })
}
