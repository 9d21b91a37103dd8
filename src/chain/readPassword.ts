import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { passwordMissing, passwordUnreadable } from '../errors/account.ts'
import { toPasswordPath } from './accounts.ts'
import { toReason } from './toReason.ts'

export interface PasswordOptions {
  home: string
  /** `CUCKOO_PASSWORD` */
  password?: string | undefined
  /** `--password-file` */
  passwordFile?: string | undefined
  /** `--password-fd` */
  passwordFd?: number | undefined
  /** asks on the terminal; left out where there is none */
  promptPassword?: ((name: string) => Promise<string>) | undefined
}

/**
 * The password of account `name`. First that is there wins: the file beside the keystore that only the devnet's accounts have
 * (a password of this terminal is somebody else's then), `CUCKOO_PASSWORD`, `--password-file`, `--password-fd`, a prompt. Of
 * files the first line counts.
 * @throws CUCKOO_ACCOUNT_PASSWORD_MISSING without any of them
 * @throws CUCKOO_ACCOUNT_PASSWORD_UNREADABLE
 */
export async function readPassword(options: PasswordOptions, name: string): Promise<string> {
  const kept = await readFile(toPasswordPath(options.home, name), 'utf8').catch((cause) => {
    if (toReason(cause) === 'ENOENT') return null
    throw passwordUnreadable({ source: toPasswordPath(options.home, name), reason: toReason(cause) }, { cause })
  })
  if (kept !== null) return toFirstLine(kept)
  if (options.password !== undefined) return options.password
  const path = options.passwordFile
  if (path !== undefined) {
    const text = await readFile(path, 'utf8').catch((cause) => {
      throw passwordUnreadable({ source: path, reason: toReason(cause) }, { cause })
    })
    return toFirstLine(text)
  }
  const fd = options.passwordFd
  if (fd !== undefined) {
    try {
      return toFirstLine(readFileSync(fd, 'utf8'))
    } catch (cause) {
      throw passwordUnreadable({ source: `file descriptor ${fd}`, reason: toReason(cause) }, { cause })
    }
  }
  if (options.promptPassword === undefined) throw passwordMissing({ name })
  return options.promptPassword(name)
}

function toFirstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] as string
}
