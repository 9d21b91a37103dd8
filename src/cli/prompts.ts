import { createInterface } from 'node:readline'
import { answeredNo, passwordUnusable, terminalRequired } from '../errors/cli.ts'
import type { Io } from './io.ts'
import type { Output } from './output.ts'

/** Questions to a person. Without a terminal each is an error that names what to give instead. */
export interface Prompts {
  /** @throws CUCKOO_CLI_TERMINAL_REQUIRED without a terminal, CUCKOO_CLI_ANSWERED_NO for any answer but y or yes; `--yes` answers it */
  confirm(question: string): Promise<void>
  /** a line that is not shown. @throws CUCKOO_CLI_TERMINAL_REQUIRED naming `instead` */
  askSecret(question: string, instead: string): Promise<string>
  /** a new password, typed twice. @throws CUCKOO_CLI_TERMINAL_REQUIRED, CUCKOO_CLI_PASSWORD_UNUSABLE */
  askNewPassword(name: string): Promise<string>
}

/** Prompts on the terminal of `io`: questions on stderr, answers from stdin. */
export function createPrompts(io: Pick<Io, 'stdin' | 'stderr'>, output: Output, options: { yes: boolean; signal: AbortSignal }): Prompts {
  const askSecret = async (question: string, instead: string) => {
    if (!output.interactive) throw terminalRequired({ question, instead })
    return readHidden(io, `${question}: `, options.signal)
  }
  return {
    askSecret,
    async askNewPassword(name) {
      const password = await askSecret(`New password for '${name}'`, 'CUCKOO_PASSWORD, --password-file or --password-fd')
      if (password === '') throw passwordUnusable({ problem: 'it is empty' })
      if ((await askSecret('The same again', '--password-file')) !== password) throw passwordUnusable({ problem: 'the two are not the same' })
      return password
    },
    async confirm(question) {
      if (options.yes) return
      if (!output.interactive) throw terminalRequired({ question, instead: '--yes (or CUCKOO_YES=true) to answer it beforehand' })
      const answer = await readLine(io, `${question} [y/N] `, options.signal)
      if (!/^(y|yes)$/i.test(answer.trim())) throw answeredNo({ question })
    },
  }
}

function readLine(io: Pick<Io, 'stdin' | 'stderr'>, question: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    io.stderr.write(question)
    const lines = createInterface({ input: io.stdin, terminal: false })
    const stop = () => {
      io.stderr.write('\n')
      lines.close()
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
    lines.once('line', (line) => {
      // Before close: whoever resolves first wins, and closing without a line is an empty answer.
      resolve(line)
      signal.removeEventListener('abort', stop)
      lines.close()
    })
    lines.once('close', () => resolve(''))
  })
}

/** Reads key by key in raw mode, where the terminal shows nothing and Ctrl-C arrives as a key. */
function readHidden(io: Pick<Io, 'stdin' | 'stderr'>, question: string, signal: AbortSignal): Promise<string> {
  const { stdin } = io
  return new Promise((resolve, reject) => {
    io.stderr.write(question)
    let text = ''
    const finish = (settle: () => void) => {
      stdin.off('data', read)
      stdin.setRawMode(false)
      stdin.pause()
      io.stderr.write('\n')
      signal.removeEventListener('abort', abort)
      settle()
    }
    const abort = () => finish(() => reject(signal.reason))
    const read = (chunk: Buffer | string) => {
      for (const key of String(chunk)) {
        if (key === '\r' || key === '\n' || key === '\u0004') return finish(() => resolve(text))
        if (key === '\u0003') {
          process.kill(process.pid, 'SIGINT')
          return
        }
        if (key === '\u007f' || key === '\b') text = [...text].slice(0, -1).join('')
        else if (key >= ' ') text += key
      }
    }
    signal.addEventListener('abort', abort, { once: true })
    stdin.setRawMode(true)
    stdin.setEncoding('utf8')
    stdin.on('data', read)
    stdin.resume()
  })
}
