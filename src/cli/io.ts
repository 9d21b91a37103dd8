/**
 * What tells a command to stop: Ctrl-C, a service manager, a terminal that was closed. Windows sends SIGHUP when the console is
 * closed, and ends the process some ten seconds later (nodejs.org/api/process.html#signal-events).
 */
export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof stopSignals)[number]

/** The exit code of a program that such a signal ended: 128 and the signal's number. */
export const stoppedExitCodes: Readonly<Record<StopSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/** Everything a command line program has from outside: `main` takes it, so that tests can give another. */
export interface Io {
  env: Record<string, string | undefined>
  platform: NodeJS.Platform
  stdin: NodeJS.ReadStream
  stdout: OutputStream
  stderr: OutputStream
  /** calls `listener` for each of {@link stopSignals} until the returned function is called */
  watchSignals(listener: (signal: StopSignal) => void): () => void
  /** ends the process at once, as `signal` does where nobody watches for it: the second Ctrl-C */
  forceExit(signal: StopSignal): void
  /** ends the process at once with this exit code, whatever its threads do */
  exitNow(code: number): void
}

export interface OutputStream {
  write(text: string): unknown
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** The streams, environment and signals of this process. */
export function createProcessIo(): Io {
  return {
    env: process.env,
    platform: process.platform,
    // Node makes each stream when it is first touched, which costs milliseconds: `--help` needs one of the three.
    get stdin() {
      return process.stdin
    },
    get stdout() {
      return process.stdout
    },
    get stderr() {
      return process.stderr
    },
    watchSignals(listener) {
      for (const signal of stopSignals) process.on(signal, listener)
      return () => {
        for (const signal of stopSignals) process.off(signal, listener)
      }
    },
    forceExit,
    exitNow,
  }
}

/** How long a process may take to die of a signal. */
const dyingMs = 500

/** Once nobody watches for signals any more. `process.exit` would wait for a model that runs, and its runtime would then abort the process (134). */
function forceExit(signal: StopSignal): void {
  const exit = () => process.exit(stoppedExitCodes[signal])
  if (process.platform === 'win32') exit()
  process.kill(process.pid, signal)
  // The first process of a container survives its own signals.
  setTimeout(exit, dyingMs)
}

/** `process.exit` would wait for threads that are inside a runtime; a program that takes this one's place waits for none. Windows has no such call: there it ends with 1. */
function exitNow(code: number): void {
  if (process.platform !== 'win32') process.execve?.(process.execPath, [process.execPath, '-e', `process.exit(${code})`])
  process.kill(process.pid, 'SIGKILL')
}
