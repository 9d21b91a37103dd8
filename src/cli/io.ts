/** Everything a command line program has from outside: `main` takes it, so that tests can give another. */
export interface Io {
  env: Record<string, string | undefined>
  platform: NodeJS.Platform
  stdin: NodeJS.ReadStream
  stdout: OutputStream
  stderr: OutputStream
  /** calls `listener` for SIGINT and SIGTERM until the returned function is called */
  watchSignals(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void
  /** ends the process at once: the second Ctrl-C */
  forceExit(code: number): void
}

export interface OutputStream {
  write(text: string): unknown
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** The streams, environment and signals of this process. */
export function createProcessIo(): Io {
  return {
    env: process.env,
    platform: process.platform,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    watchSignals(listener) {
      const signals = ['SIGINT', 'SIGTERM'] as const
      const listeners = signals.map((signal) => () => listener(signal))
      signals.forEach((signal, index) => process.on(signal, listeners[index] as () => void))
      return () => signals.forEach((signal, index) => process.off(signal, listeners[index] as () => void))
    },
    forceExit: (code) => process.exit(code),
  }
}
