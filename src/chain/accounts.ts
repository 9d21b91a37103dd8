import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Address, type Hex, toHex } from '../domain/hex.ts'
import { accountExists, accountFileFailed, accountNameInvalid, accountUnknown } from '../errors/account.ts'
import { decryptKeystore, encryptKeystore, findKeystoreAddress, keptPasswordScryptCost, parseKeystore, scryptCost } from './keystore.ts'
import { toReason } from './toReason.ts'

export interface Account {
  name: string
  address: Address
  /** the keystore file */
  path: string
}

/** `problem` says why a file of the folder cannot be used; its address is then null. */
export type ListedAccount = { name: string; path: string } & ({ address: Address; problem: null } | { address: null; problem: string })

// Lower case only: some file systems take Alice and alice for one name.
const namePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/

/** Folder of the accounts of a home. */
export function toAccountsFolder(home: string): string {
  return join(home, 'accounts')
}

/** Path of an account's keystore. @throws CUCKOO_ACCOUNT_NAME_INVALID for a name that is not one plain file name */
export function toAccountPath(home: string, name: string): string {
  if (!namePattern.test(name)) throw accountNameInvalid({ name })
  return join(toAccountsFolder(home), `${name}.json`)
}

/** Path of the password file that only the devnet's accounts have (written by the devnet, mode 0600). */
export function toPasswordPath(home: string, name: string): string {
  return toAccountPath(home, name).replace(/\.json$/, '.password')
}

/**
 * Makes a key from the system's randomness and keeps it encrypted as `accounts/<name>.json`, mode 0600.
 * @throws CUCKOO_ACCOUNT_EXISTS when the name is taken: a key is never overwritten
 * @throws CUCKOO_ACCOUNT_NAME_INVALID
 * @throws CUCKOO_ACCOUNT_FILE_FAILED when the file cannot be written
 */
export function createAccount(home: string, name: string, password: string): Promise<Account> {
  return importAccount(home, name, toHex(randomBytes(32)), password)
}

/**
 * Keeps a key encrypted with `password` as `accounts/<name>.json`, mode 0600. `keyText` is a private key (64 hexadecimal
 * digits, 0x or not), or keystore JSON that opens with `password`.
 * @throws CUCKOO_ACCOUNT_KEY_INVALID
 * @throws CUCKOO_ACCOUNT_EXISTS
 * @throws CUCKOO_ACCOUNT_NAME_INVALID
 * @throws CUCKOO_ACCOUNT_FILE_FAILED
 * @example await importAccount(home, 'alice', '0xac09…ff80', password) // { name: 'alice', address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266', path: '….json' }
 */
export async function importAccount(home: string, name: string, keyText: string, password: string): Promise<Account> {
  const path = toAccountPath(home, name)
  const { createLocalSigner, parsePrivateKey } = await import('./signer.ts')
  const isKeystore = keyText.trimStart().startsWith('{')
  const privateKey = isKeystore ? await decryptKeystore(keyText, password, 'The keystore given') : parsePrivateKey(keyText, 'The text given')
  const { address } = createLocalSigner(privateKey)
  try {
    await mkdir(toAccountsFolder(home), { recursive: true, mode: 0o700 })
    // A password that lies beside its keystore (the devnet's accounts) makes a costly derivation pointless.
    const cost = existsSync(toPasswordPath(home, name)) ? keptPasswordScryptCost : scryptCost
    await writeNewFile(path, await encryptKeystore(privateKey, password, cost))
  } catch (cause) {
    if (toReason(cause) === 'EEXIST') throw accountExists({ name, path }, { cause })
    throw accountFileFailed({ path, reason: toReason(cause) }, { cause })
  }
  return { name, address, path }
}

/**
 * The private key of an account (32 bytes as 0x hex), for moving it elsewhere. The keystore file itself is at {@link toAccountPath}.
 * @throws CUCKOO_ACCOUNT_UNKNOWN
 * @throws CUCKOO_ACCOUNT_PASSWORD_WRONG
 * @throws CUCKOO_ACCOUNT_KEYSTORE_INVALID
 */
export async function exportAccount(home: string, name: string, password: string): Promise<Hex> {
  return decryptKeystore(await readAccount(home, name), password, `the account '${name}'`)
}

/** The accounts of a home by name, with their addresses, read without any password. A damaged file is listed with its problem. */
export async function listAccounts(home: string): Promise<ListedAccount[]> {
  const names = await listNames(home)
  return Promise.all(
    names.map(async (name): Promise<ListedAccount> => {
      const path = toAccountPath(home, name)
      try {
        const address = findKeystoreAddress(parseKeystore(await readFile(path, 'utf8'), `the account '${name}'`))
        return address === null ? { name, path, address, problem: 'it does not name its address' } : { name, path, address, problem: null }
      } catch (cause) {
        return { name, path, address: null, problem: cause instanceof Error ? cause.message : String(cause) }
      }
    }),
  )
}

/** Keystore JSON of an account. @throws CUCKOO_ACCOUNT_UNKNOWN @throws CUCKOO_ACCOUNT_FILE_FAILED */
export async function readAccount(home: string, name: string): Promise<string> {
  const path = toAccountPath(home, name)
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (toReason(cause) === 'ENOENT') throw accountUnknown({ name, known: await listNames(home) }, { cause })
    throw accountFileFailed({ path, reason: toReason(cause) }, { cause })
  }
}

async function listNames(home: string): Promise<string[]> {
  const folder = toAccountsFolder(home)
  try {
    const files = await readdir(folder)
    const names = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length))
    return names.filter((name) => namePattern.test(name)).sort()
  } catch (cause) {
    if (toReason(cause) === 'ENOENT') return []
    throw accountFileFailed({ path: folder, reason: toReason(cause) }, { cause })
  }
}

/** Creates `path` whole or not at all, readable by its owner only; fails with EEXIST when it is there. */
async function writeNewFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    // Unlike rename, link refuses to replace.
    await link(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}
