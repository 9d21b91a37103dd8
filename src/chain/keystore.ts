import { pbkdf2 as pbkdf2Callback, randomBytes, type ScryptOptions, scrypt as scryptCallback } from 'node:crypto'
import { promisify } from 'node:util'
import type * as Keystore from 'ox/Keystore'
import { z } from 'zod'
import { type Address, fromHex, type Hex, toHex } from '../domain/hex.ts'
import { keystoreInvalid, passwordWrong } from '../errors/account.ts'

const scrypt = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scryptCallback)
const pbkdf2 = promisify(pbkdf2Callback)

/** What geth and Foundry use at full strength: half a second and 128 MiB for each guess of a password. */
export const scryptCost = 2 ** 17
/** For accounts whose password lies beside them, the devnet's: 10 ms. */
export const keptPasswordScryptCost = 2 ** 12

const bytes = (count: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${count * 2}}$`))
const salt = z.string().regex(/^(?:[0-9a-fA-F]{2}){1,64}$/)

// Web3 Secret Storage, version 3. The bounds keep a stranger's file from costing more than 1 GiB or a minute.
const keystoreSchema = z.object({
  version: z.literal(3),
  id: z.string().default(''),
  address: z
    .string()
    .regex(/^(0x)?[0-9a-fA-F]{40}$/)
    .optional(),
  crypto: z.intersection(
    z.object({ cipher: z.literal('aes-128-ctr'), ciphertext: bytes(32), cipherparams: z.object({ iv: bytes(16) }), mac: bytes(32) }),
    z.discriminatedUnion('kdf', [
      z.object({
        kdf: z.literal('scrypt'),
        kdfparams: z
          .object({ dklen: z.literal(32), n: z.int().min(2), r: z.int().min(1).max(32), p: z.int().min(1).max(16), salt })
          .refine((cost) => Number.isInteger(Math.log2(cost.n)) && 128 * cost.n * cost.r <= 2 ** 30, 'n is not a power of two, or asks for more than 1 GiB'),
      }),
      z.object({
        kdf: z.literal('pbkdf2'),
        kdfparams: z.object({ dklen: z.literal(32), c: z.int().min(1).max(10_000_000), prf: z.literal('hmac-sha256'), salt }),
      }),
    ]),
  ),
})
type ParsedKeystore = z.infer<typeof keystoreSchema>

/** Checks the shape of keystore JSON. `source` is what the error calls it. @throws CUCKOO_ACCOUNT_KEYSTORE_INVALID */
export function parseKeystore(json: string, source: string): ParsedKeystore {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw keystoreInvalid({ source, problem: 'it is not JSON' }, { cause })
  }
  const parsed = keystoreSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw keystoreInvalid({ source, problem: `${issue?.path.join('.') || 'it'}: ${issue?.message}` }, { cause: parsed.error })
  }
  return parsed.data
}

/** The address a keystore says it holds, without the password; null when it says none. */
export function findKeystoreAddress(keystore: ParsedKeystore): Address | null {
  return keystore.address === undefined ? null : `0x${keystore.address.replace(/^0x/, '').toLowerCase()}`
}

/** `privateKey` as version 3 keystore JSON (scrypt r = 8, p = 1), as geth and Foundry read it. */
export async function encryptKeystore(privateKey: Hex, password: string, cost: number): Promise<string> {
  const [{ encrypt }, { createLocalSigner }] = await loadCryptography()
  const { address } = createLocalSigner(privateKey)
  const saltBytes = randomBytes(32)
  const iv = randomBytes(16)
  const kdfparams = { dklen: 32, n: cost, p: 1, r: 8, salt: saltBytes.toString('hex') }
  const key = toHex(await deriveScryptKey(password, kdfparams))
  const keystore = encrypt(privateKey, key, { iv: new Uint8Array(iv), kdf: 'scrypt', kdfparams })
  return `${JSON.stringify({ address: address.slice(2), ...keystore }, null, 2)}\n`
}

/**
 * The private key in a keystore (32 bytes as 0x hex).
 * @throws CUCKOO_ACCOUNT_PASSWORD_WRONG when the MAC does not fit: another password, or altered bytes
 * @throws CUCKOO_ACCOUNT_KEYSTORE_INVALID when its shape is wrong, or the key inside is not that of its address
 */
export async function decryptKeystore(json: string, password: string, source: string): Promise<Hex> {
  const keystore = parseKeystore(json, source)
  const [{ decrypt }, { createLocalSigner }] = await loadCryptography()
  const key = toHex(await deriveKey(password, keystore.crypto))
  let privateKey: Hex
  try {
    privateKey = decrypt(keystore as Keystore.Keystore, key)
  } catch (cause) {
    throw passwordWrong({ source }, { cause })
  }
  const stated = findKeystoreAddress(keystore)
  const { address } = createLocalSigner(privateKey)
  if (stated !== null && stated !== address) throw keystoreInvalid({ source, problem: `it says ${stated} but holds the key of ${address}` })
  return privateKey
}

/** Loaded when a key is locked or unlocked: most commands read only an address. */
function loadCryptography() {
  return Promise.all([import('ox/Keystore'), import('./signer.ts')])
}

function deriveKey(password: string, crypto: ParsedKeystore['crypto']): Promise<Buffer> {
  if (crypto.kdf === 'scrypt') return deriveScryptKey(password, crypto.kdfparams)
  return pbkdf2(password, fromHex(`0x${crypto.kdfparams.salt}`), crypto.kdfparams.c, 32, 'sha256')
}

async function deriveScryptKey(password: string, cost: { n: number; r: number; p: number; salt: string }): Promise<Buffer> {
  const { n, r, p } = cost
  const saltBytes = fromHex(`0x${cost.salt}`)
  // RFC 7914 wants n < 2^(16 r) and OpenSSL insists; some wallets, and ox by default, write r = 1 with more all the same.
  if (n >= 2 ** (16 * r)) {
    const [key] = (await import('ox/Keystore')).scrypt({ password, salt: saltBytes, n, r, p })
    return Buffer.from(fromHex(key()))
  }
  // scrypt needs 128 · n · r bytes and some; Node's own limit is 32 MiB.
  const maxmem = 128 * n * r + 128 * r * p + 2 ** 20
  return scrypt(password, saltBytes, 32, { N: n, r, p, maxmem })
}
