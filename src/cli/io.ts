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
      const interrupt = () => listener('SIGINT')
      const terminate = () => listener('SIGTERM')
      process.on('SIGINT', interrupt)
      process.on('SIGTERM', terminate)
      return () => {
        process.off('SIGINT', interrupt)
        process.off('SIGTERM', terminate)
      }
    },
    forceExit: (code) => process.exit(code),
  }
}
