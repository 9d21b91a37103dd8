import { configKeys } from '../config/keys.ts'
import { type CuckooError, errorKinds } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import { createProcessIo, type Io, type StopSignal, stoppedExitCodes } from './io.ts'
import { createOutput, type Output } from './output.ts'
import type { Compose } from './ports.ts'
import { formatRootHelp } from './rootHelp.ts'
import { getVersion } from './version.ts'

/** Why a command was told to stop. */
type Stop = StopSignal | 'EPIPE'

export interface MainOverrides {
  io?: Io
  /** other ports than the real ones, for tests */
  compose?: Compose
}

/**
 * Runs one command line and resolves with its exit code. Catches everything; never ends the process, but for a second Ctrl-C.
 * @example process.exitCode = await main(process.argv.slice(2))
 */
export async function main(argv: readonly string[], overrides: MainOverrides = {}): Promise<number> {
  const io = overrides.io ?? createProcessIo()
  const stop = Promise.withResolvers<Stop>()
  const controller = new AbortController()
  const askToStop = (reason: Stop) => {
    controller.abort(new DOMException('The command was told to stop.', { name: 'AbortError', cause: reason }))
    stop.resolve(reason)
  }
  const flags = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  const output = createOutput(io, {
    json: flags.includes(configKeys.json.flag),
    noColor: flags.includes(configKeys.noColor.flag) || (io.env['NO_COLOR'] ?? '') !== '',
    program: findProgram(io.env),
    onClosed: () => askToStop('EPIPE'),
  })
  let signals = 0
  const unwatch = io.watchSignals((signal) => {
    signals++
    if (signals === 1) return askToStop(signal)
    unwatch()
    io.forceExit(signal)
  })
  try {
    return await runLine(argv, { io, output, signal: controller.signal, stop: stop.promise, compose: overrides.compose })
  } catch (error) {
    if (controller.signal.aborted && isAbort(error)) return toStoppedCode(await stop.promise)
    const coded = toCuckooError(error)
    printError(coded, flags, output)
    const { exitCode } = errorKinds[coded.kind]
    if (coded.endsProcess) io.exitNow(exitCode)
    return exitCode
  } finally {
    unwatch()
  }
}

/** What to type for this program: npm sets the first variable for scripts and the second for npx too. */
function findProgram(env: Io['env']): string {
  return env['npm_lifecycle_event'] === undefined && env['npm_execpath'] === undefined ? 'cuckoo' : 'npx cuckoo'
}

interface LineOptions {
  io: Io
  output: Output
  signal: AbortSignal
  stop: Promise<Stop>
  compose: Compose | undefined
}

async function runLine(argv: readonly string[], options: LineOptions): Promise<number> {
  const { output, stop } = options
  const [first, second] = argv.filter((word) => word !== configKeys.noColor.flag)
  if (second === undefined && (first === undefined || ['--help', '-h', 'help'].includes(first))) {
    output.print(formatRootHelp())
    return 0
  }
  const { parseCommandLine } = await import('./commandLine.ts')
  const line = await parseCommandLine(argv, {
    version: getVersion(),
    write: output.print,
    populate: async (command, entry) => (await import('./populate.ts')).populate(command, entry),
  })
  if (line === null) return 0
  const { runCommand } = await import('./runCommand.ts')
  const run = runCommand(line, options)
  const { longRunning } = await line.entry.load()
  if (longRunning) {
    void stop.then(() => output.note('Stopping: finishing what is under way. Press Ctrl-C again to stop at once.'))
    await run
    return 0
  }
  run.catch(() => {})
  const stopped = await Promise.race([run.then(() => null), stop])
  return stopped === null ? 0 : toStoppedCode(stopped)
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function toStoppedCode(stop: Stop): number {
  return stop === 'EPIPE' ? 0 : stoppedExitCodes[stop]
}

function printError(coded: CuckooError, flags: readonly string[], output: Output): void {
  output.error(coded)
  const level = flags.indexOf('--log-level')
  const isDebug = flags.includes('--log-level=debug') || (level !== -1 && flags[level + 1] === 'debug')
  if (isDebug) for (let cause: unknown = coded; cause instanceof Error; cause = cause.cause) output.note(cause.stack ?? String(cause))
}
