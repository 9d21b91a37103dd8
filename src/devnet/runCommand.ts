import { spawn } from 'node:child_process'
import type { CuckooError } from '../errors/cuckooError.ts'
import { devnetChildFailed } from '../errors/devnet.ts'
import { ownGroup } from './ownGroup.ts'

/** How the network calls `cuckoo`: the same program that people type, as a process of its own. */
export interface CuckooProgram {
  /** path of node */
  command: string
  /** path of bin/cuckoo.js */
  script: string
  env: NodeJS.ProcessEnv
}

/** Environment of the network's processes: the caller's without its own cuckoo settings, with `home` and the devnet as the network (it is not yet the default while it comes up). */
export function createProgram(options: { script: string; home: string; env?: NodeJS.ProcessEnv }): CuckooProgram {
  const inherited = Object.entries(options.env ?? process.env).filter(([name]) => !name.startsWith('CUCKOO_'))
  return {
    command: process.execPath,
    script: options.script,
    env: {
      ...Object.fromEntries(inherited),
      CUCKOO_HOME: options.home,
      CUCKOO_NETWORK: 'devnet',
      NO_COLOR: '1',
    },
  }
}

/** `cuckoo …` as a person would type it, quoted where a shell needs it. */
export function formatCommand(args: readonly string[]): string {
  return ['cuckoo', ...args.map((arg) => (/^[\w./:@=,+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`))].join(' ')
}

/**
 * Runs one command with `--json` and resolves with the last object it printed.
 * @throws CUCKOO_DEVNET_CHILD_FAILED when it exits with another code than 0, with its own error in the message
 */
export function runCommand(program: CuckooProgram, args: readonly string[], onText?: (text: string) => void): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const child = spawn(program.command, [program.script, ...args, ...(onText ? [] : ['--json'])], {
      ...ownGroup,
      env: program.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      onText?.(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.once('error', reject)
    child.once('close', (exitCode) => {
      if (exitCode !== 0) return reject(toChildFailed(formatCommand(args), exitCode, errors))
      if (onText) return resolve({ text: output })
      resolve(JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>)
    })
  })
}

/** The error of a process that ended: what its JSON error on stderr says, else the last line there. */
export function toChildFailed(command: string, exitCode: number | null, stderr: string): CuckooError {
  const last = stderr.trim().split('\n').at(-1) ?? ''
  try {
    const { error } = JSON.parse(last) as { error: { code: string; message: string; hint?: string } }
    return devnetChildFailed({ command, exitCode, reason: `${error.message} (${error.code})`, hint: error.hint ?? null })
  } catch {
    return devnetChildFailed({ command, exitCode, reason: last, hint: null })
  }
}
