import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Address, Hex } from '../domain/hex.ts'
import type { Signer } from '../domain/ports.ts'
import {
  accountAmbiguous,
  accountMismatch,
  accountMissing,
  passwordMissing,
  passwordUnreadable,
  privateKeyInvalid,
  privateKeyUnreadable,
} from '../errors/account.ts'
import { listAccounts, readAccount, toPasswordPath, toReason } from './accounts.ts'
import { decryptKeystore, findKeystoreAddress, parseKeystore } from './keystore.ts'
import { createLocalSigner } from './signer.ts'

export interface UnlockOptions {
  home: string
  /** `--account`; without it the only account there is */
  name?: string | undefined
  /** `CUCKOO_PRIVATE_KEY` */
  privateKey?: string | undefined
  /** `--private-key-file` */
  privateKeyFile?: string | undefined
  /** `CUCKOO_PASSWORD` */
  password?: string | undefined
  /** `--password-file` */
  passwordFile?: string | undefined
  /** `--password-fd` */
  passwordFd?: number | undefined
  /** asks on the terminal; left out where there is none */
  promptPassword?: ((name: string) => Promise<string>) | undefined
}

export interface UnlockedAccount {
  signer: Signer
  /** null for a bare private key */
  name: string | null
}

/**
 * The signer of an account. First that is there wins: `CUCKOO_PRIVATE_KEY`, `--private-key-file`, then the keystore with
 * `CUCKOO_PASSWORD`, `--password-file`, `--password-fd`, the devnet's password file, a prompt.
 * @throws CUCKOO_ACCOUNT_MISMATCH when a bare key is given and `name` is another account's
 * @throws CUCKOO_ACCOUNT_MISSING or CUCKOO_ACCOUNT_AMBIGUOUS when no name is given and there is none, or several
 * @throws CUCKOO_ACCOUNT_UNKNOWN
 * @throws CUCKOO_ACCOUNT_PASSWORD_MISSING without any password and without a prompt
 * @throws CUCKOO_ACCOUNT_PASSWORD_WRONG
 * @throws CUCKOO_ACCOUNT_PASSWORD_UNREADABLE, CUCKOO_ACCOUNT_KEY_UNREADABLE, CUCKOO_ACCOUNT_KEY_INVALID, CUCKOO_ACCOUNT_KEYSTORE_INVALID
 */
export async function unlockAccount(options: UnlockOptions): Promise<UnlockedAccount> {
  const bare = await readPrivateKey(options)
  if (bare !== null) {
    const signer = createLocalSigner(bare.privateKey)
    await assertSameAccount(options, bare.source, signer.address)
    return { signer, name: null }
  }
  const name = options.name ?? (await getOnlyName(options.home))
  const keystore = await readAccount(options.home, name)
  const password = await readPassword(options, name)
  return { signer: createLocalSigner(await decryptKeystore(keystore, password, `the account '${name}'`)), name }
}

async function readPrivateKey(options: UnlockOptions): Promise<{ privateKey: Hex; source: string } | null> {
  if (options.privateKey !== undefined) return { privateKey: parsePrivateKey(options.privateKey, 'CUCKOO_PRIVATE_KEY'), source: 'CUCKOO_PRIVATE_KEY' }
  const path = options.privateKeyFile
  if (path === undefined) return null
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw privateKeyUnreadable({ source: path, reason: toReason(cause) }, { cause })
  })
  return { privateKey: parsePrivateKey(text, path), source: '--private-key-file' }
}

/**
 * A private key as a person gives it: 64 hexadecimal digits, 0x or not, space around it ignored.
 * @throws CUCKOO_ACCOUNT_KEY_INVALID naming `source`, never the text
 */
export function parsePrivateKey(text: string, source: string): Hex {
  const digits = text.trim().replace(/^0x/i, '').toLowerCase()
  try {
    createLocalSigner(`0x${digits}`)
  } catch (cause) {
    throw privateKeyInvalid({ source }, { cause })
  }
  return `0x${digits}`
}

/** `--account alice` beside a bare key of somebody else would act for the wrong one. */
async function assertSameAccount(options: UnlockOptions, source: string, found: Address): Promise<void> {
  if (options.name === undefined) return
  const address = findKeystoreAddress(parseKeystore(await readAccount(options.home, options.name), `the account '${options.name}'`))
  if (address !== null && address !== found) throw accountMismatch({ name: options.name, address, source, found })
}

async function getOnlyName(home: string): Promise<string> {
  const known = (await listAccounts(home)).map((account) => account.name)
  if (known.length > 1) throw accountAmbiguous({ known })
  const [name] = known
  if (name === undefined) throw accountMissing({})
  return name
}

async function readPassword(options: UnlockOptions, name: string): Promise<string> {
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
  const kept = await readFile(toPasswordPath(options.home, name), 'utf8').catch((cause) => {
    if (toReason(cause) === 'ENOENT') return null
    throw passwordUnreadable({ source: toPasswordPath(options.home, name), reason: toReason(cause) }, { cause })
  })
  if (kept !== null) return toFirstLine(kept)
  if (options.promptPassword === undefined) throw passwordMissing({ name })
  return options.promptPassword(name)
}

function toFirstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] as string
}
