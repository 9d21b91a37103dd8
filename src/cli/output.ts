import { styleText } from 'node:util'
import type { CuckooError } from '../errors/cuckooError.ts'
import { fold } from './fold.ts'
import type { Io } from './io.ts'
import { formatTable, type Table } from './table.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export interface Spinner {
  /** a person can see it */
  readonly shown: boolean
  /** shows `text`; starts it where it stands still */
  update(text: string): void
  /** leaves nothing behind; again and again is the same as once */
  stop(): void
}

/** The only writer of stdout and stderr. Results go to stdout, everything else to stderr. */
export interface Output {
  readonly json: boolean
  /** someone sits in front of it and can answer */
  readonly interactive: boolean
  /** width to fit into: the terminal's, 80 when there is none */
  readonly columns: number
  /** how this program is typed: `cuckoo`, or `npx cuckoo` where npm started it */
  readonly program: string
  /** one line for people, folded to a terminal's width; nothing with --json */
  line(text?: string): void
  /** text as it is, with --json too: help and version */
  print(text: string): void
  /** text for people as it comes, without line end; nothing with --json */
  write(text: string): void
  table(table: Table): void
  /** one JSON value on a line of its own; nothing without --json */
  record(value: unknown): void
  /** a remark on stderr; nothing with --json */
  note(text: string): void
  /** what may go wrong, on stderr; with --json an object `{"warning":{"message"}}` */
  warn(text: string): void
  error(error: CuckooError): void
  style(style: Style, text: string): string
  /** null where stdout is no terminal, and with --json */
  openFrames(): Frames | null
  /** a spinner on stderr where a person watches, else nothing; with an empty text it waits for an update */
  spin(text: string): Promise<Spinner>
}

/** Text that is shown again and again in one place of a terminal. */
export interface Frames {
  /** shows `lines` in place of those shown last, cut to the terminal's height; the last ones stay */
  show(lines: readonly string[]): void
}

export interface OutputOptions {
  json: boolean
  noColor: boolean
  program: string
  /** called once when the reader of stdout has gone (EPIPE) */
  onClosed: () => void
}

/** An output over `io`'s streams. */
export function createOutput(io: Pick<Io, 'stdin' | 'stdout' | 'stderr'>, options: OutputOptions): Output {
  let closed = false
  const close = (error: NodeJS.ErrnoException) => {
    // EIO: the terminal was closed.
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    if (!closed) options.onClosed()
    closed = true
  }
  // Streams are touched when they are first written to: making one costs a millisecond that `--help` need not pay.
  const open = (stream: 'stdout' | 'stderr') => {
    let isOpen = false
    return (text: string) => {
      if (!isOpen) io[stream].on?.('error', close)
      isOpen = true
      if (!closed) io[stream].write(text)
    }
  }
  const toStdout = open('stdout')
  const toStderr = open('stderr')
  const paint = (stream: 'stdout' | 'stderr', style: Style, text: string) => {
    const isColored = !options.noColor && !options.json && io[stream].isTTY === true
    return isColored ? styleText(style, text, { validateStream: false }) : text
  }
  let spinner: { clear(): void; render(): void } | null = null
  // A line must not land in the middle of a spinner's.
  const aroundSpinner = (write: () => void) => {
    spinner?.clear()
    write()
    spinner?.render()
  }
  // Lines that go to a terminal break between words; in a file or pipe they stay whole, for grep.
  const foldForPeople = (text: string, label = '', style: Style = 'bold') => {
    const labelled = label === '' ? text : `${label} ${text}`
    const folded = io.stderr.isTTY === true ? fold(labelled, output.columns, label === '' ? '' : '  ') : labelled
    return label === '' ? folded : paint('stderr', style, label) + folded.slice(label.length)
  }
  const output: Output = {
    json: options.json,
    get interactive() {
      return !options.json && io.stdin.isTTY === true && io.stderr.isTTY === true
    },
    get columns() {
      return Math.max(40, Math.min(io.stdout.columns ?? 80, 160))
    },
    program: options.program,
    line: (text = '') => void (options.json || aroundSpinner(() => toStdout(`${io.stdout.isTTY === true ? fold(text, output.columns, '  ') : text}\n`))),
    print: toStdout,
    write: (text) => void (options.json || aroundSpinner(() => toStdout(text))),
    table: (table) => {
      if (options.json) return
      for (const [index, line] of formatTable(table, output.columns).entries()) output.line(index === 0 ? output.style('dim', line) : line)
    },
    record: (value) => void (options.json && toStdout(toJsonLine(value))),
    note: (text) => void (options.json || aroundSpinner(() => toStderr(`${foldForPeople(text)}\n`))),
    warn: (text) => {
      if (options.json) toStderr(toJsonLine({ warning: { message: text } }))
      else aroundSpinner(() => toStderr(`${foldForPeople(text, 'warning:', 'yellow')}\n`))
    },
    error: (error) => {
      if (options.json) return toStderr(toJsonLine({ error: toErrorObject(error) }))
      toStderr(`${foldForPeople(`${hideCredentials(error.message)} (${error.code})`, 'error:', 'red')}\n`)
      if (error.hint !== undefined) toStderr(`${foldForPeople(error.hint, 'hint:', 'cyan')}\n`)
    },
    style: (style, text) => paint('stdout', style, text),
    openFrames: () =>
      options.json || io.stdout.isTTY !== true ? null : createFrames(toStdout, () => ({ columns: output.columns, rows: io.stdout.rows ?? 24 })),
    async spin(text) {
      // A terminal without a size (a pseudo-terminal of a script) has 0 columns: ora would clear an endless number of lines.
      if (options.json || io.stderr.isTTY !== true || io.stderr.columns === 0) return { shown: false, update: () => {}, stop: () => {} }
      const { default: ora } = await import('ora')
      const running = ora({
        stream: io.stderr as NodeJS.WriteStream,
        discardStdin: false,
        hideCursor: true,
        ...(options.noColor ? { color: false as never } : {}),
      })
      const update = (next: string) => {
        running.text = next
        if (running.isSpinning) return
        running.start()
        spinner = running
      }
      if (text !== '') update(text)
      return {
        shown: true,
        update,
        stop: () => {
          // ora clears the line at every stop, and by the second one the line holds something else.
          if (!running.isSpinning) return
          running.stop()
          spinner = null
        },
      }
    },
  }
  return output
}

function createFrames(write: (text: string) => void, getSize: () => { columns: number; rows: number }): Frames {
  let shown = 0
  return {
    show(lines) {
      const { columns, rows } = getSize()
      const folded = lines.flatMap((line) => fold(line, columns, '  ').split('\n'))
      const fitting = folded.length < rows ? folded : [...folded.slice(0, rows - 2), `… ${folded.length - rows + 2} more lines`]
      // Up to the first line, and clear from there (ECMA-48 CUU, ED).
      write(`${shown === 0 ? '' : `\u001b[${shown}A\r\u001b[J`}${fitting.join('\n')}\n`)
      shown = fitting.length
    },
  }
}

/** An error as `--json` prints it. */
export function toErrorObject(error: CuckooError): { code: string; kind: string; message: string; hint: string | null; facts: Record<string, unknown> } {
  return { code: error.code, kind: error.kind, message: hideCredentials(error.message), hint: error.hint ?? null, facts: error.facts }
}

/** User names and passwords of URLs never reach a screen, even where an error of another's making quotes one. */
function hideCredentials(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1<hidden>@')
}

/** `value` as a line of JSON, wei as strings. JSON lets U+007F to U+009F through, some of which a terminal obeys: they are escaped too. */
function toJsonLine(value: unknown): string {
  const json = JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner))
  return `${json.replace(/[\u007f-\u009f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)}\n`
}
