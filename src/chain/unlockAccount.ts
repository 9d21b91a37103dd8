import { readFile } from 'node:fs/promises'
import type { Address } from '../domain/hex.ts'
import type { Signer } from '../domain/ports.ts'
import { accountAmbiguous, accountMismatch, accountMissing, keystoreInvalid, privateKeyUnreadable } from '../errors/account.ts'
import { listAccounts, readAccount } from './accounts.ts'
import { decryptKeystore, findKeystoreAddress, parseKeystore } from './keystore.ts'
import { type PasswordOptions, readPassword } from './readPassword.ts'
import { toReason } from './toReason.ts'

// The curve loads when a key is at hand: `status` needs an address only, which a keystore names without it.
const loadSigners = () => import('./signer.ts')

export interface UnlockOptions extends PasswordOptions {
  /** `--account`; without it the only account there is */
  name?: string | undefined
  /** `CUCKOO_PRIVATE_KEY` */
  privateKey?: string | undefined
  /** `--private-key-file` */
  privateKeyFile?: string | undefined
}

export interface UnlockedAccount {
  signer: Signer
  /** null for a bare private key */
  name: string | null
}

/**
 * The signer of the account in use. First that is there wins: `CUCKOO_PRIVATE_KEY`, `--private-key-file`, then the keystore of
 * `name` (or the only one) with its password as {@link readPassword} finds it.
 * @throws CUCKOO_ACCOUNT_MISMATCH when a bare key is given and `name` is another account's
 * @throws CUCKOO_ACCOUNT_MISSING or CUCKOO_ACCOUNT_AMBIGUOUS when no name is given and there is none, or several
 * @throws CUCKOO_ACCOUNT_UNKNOWN, CUCKOO_ACCOUNT_PASSWORD_WRONG, CUCKOO_ACCOUNT_KEYSTORE_INVALID
 * @throws CUCKOO_ACCOUNT_KEY_UNREADABLE, CUCKOO_ACCOUNT_KEY_INVALID
 */
export async function unlockAccount(options: UnlockOptions): Promise<UnlockedAccount> {
  const bare = await findBareSigner(options)
  if (bare !== null) return { signer: bare, name: null }
  const name = options.name ?? (await getOnlyName(options.home))
  const keystore = await readAccount(options.home, name)
  const password = await readPassword(options, name)
  const [{ createLocalSigner }, privateKey] = [await loadSigners(), await decryptKeystore(keystore, password, `the account '${name}'`)]
  return { signer: createLocalSigner(privateKey), name }
}

/**
 * Name and address of the account that {@link unlockAccount} would unlock, without any password.
 * @throws CUCKOO_ACCOUNT_KEYSTORE_INVALID when the keystore does not name its address; else as there
 */
export async function getAccountInUse(options: UnlockOptions): Promise<{ name: string | null; address: Address }> {
  const bare = await findBareSigner(options)
  if (bare !== null) return { name: null, address: bare.address }
  const name = options.name ?? (await getOnlyName(options.home))
  const source = `the account '${name}'`
  const address = findKeystoreAddress(parseKeystore(await readAccount(options.home, name), source))
  if (address === null) throw keystoreInvalid({ source, problem: 'it does not name its address' })
  return { name, address }
}

async function findBareSigner(options: UnlockOptions): Promise<Signer | null> {
  const path = options.privateKeyFile
  if (options.privateKey !== undefined) return getBareSigner(options, options.privateKey, 'CUCKOO_PRIVATE_KEY')
  if (path === undefined) return null
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw privateKeyUnreadable({ source: path, reason: toReason(cause) }, { cause })
  })
  return getBareSigner(options, text, '--private-key-file')
}

/** `--account alice` beside a bare key of somebody else would act for the wrong one. */
async function getBareSigner(options: UnlockOptions, text: string, source: string): Promise<Signer> {
  const { createLocalSigner, parsePrivateKey } = await loadSigners()
  const signer = createLocalSigner(parsePrivateKey(text, source))
  const { name } = options
  if (name === undefined) return signer
  const address = findKeystoreAddress(parseKeystore(await readAccount(options.home, name), `the account '${name}'`))
  if (address !== null && address !== signer.address) throw accountMismatch({ name, address, source, found: signer.address })
  return signer
}

async function getOnlyName(home: string): Promise<string> {
  const known = (await listAccounts(home)).map((account) => account.name)
  if (known.length > 1) throw accountAmbiguous({ known })
  const [name] = known
  if (name === undefined) throw accountMissing({})
  return name
}
