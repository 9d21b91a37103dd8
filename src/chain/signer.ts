import { keccak256 } from '../domain/eip712.ts'
import { type Address, fromHex, type Hash, type Hex, toHex } from '../domain/hex.ts'
import type { SignatureVerifier, Signer } from '../domain/ports.ts'
import { privateKeyInvalid } from '../errors/account.ts'
import { type Curve, curve as fastestCurve } from './secp256k1.ts'

// n/2 of the curve (SEC 2, 2.4.1): a signature with a larger s has a twin that signs the same, so only the lower one counts (EIP-2).
const halfOrder = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex')
const signaturePattern = /^0x[0-9a-f]{128}(?:1b|1c)$/

/**
 * A signer that holds `privateKey` (32 bytes as 0x hex) in memory; nothing else ever sees it.
 * @throws CUCKOO_ACCOUNT_KEY_INVALID when it is not a number from 1 to the curve's order - 1
 * @example createLocalSigner('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80').address // '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
 */
export function createLocalSigner(privateKey: Hex, curve: Curve = fastestCurve): Signer {
  const key = /^0x[0-9a-f]{64}$/i.test(privateKey) ? fromHex(privateKey) : new Uint8Array()
  if (!curve.isPrivateKey(key)) throw privateKeyInvalid({ source: 'The value' })
  const address = toAddress(curve.toPublicKey(key))
  return {
    address,
    sign(digest: Hash): Hex {
      const { signature, recovery } = curve.sign(fromHex(digest), key)
      return `${toHex(signature)}${recovery === 0 ? '1b' : '1c'}`
    },
  }
}

/**
 * A private key as a person gives it: 64 hexadecimal digits, 0x or not, space around it ignored.
 * @throws CUCKOO_ACCOUNT_KEY_INVALID naming `source`, never the text
 */
export function parsePrivateKey(text: string, source: string): Hex {
  const digits = text.trim().replace(/^0x/i, '').toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(digits) || !fastestCurve.isPrivateKey(fromHex(`0x${digits}`))) throw privateKeyInvalid({ source })
  return `0x${digits}`
}

/**
 * A verifier that gives the address behind a signature. Refuses (null) what the contract's ECDSA refuses too: other lengths,
 * v other than 27 or 28, s in the upper half, r or s of zero.
 * @example createSignatureVerifier().recover(digest, signer.sign(digest)) === signer.address // true
 */
export function createSignatureVerifier(curve: Curve = fastestCurve): SignatureVerifier {
  return {
    recover(digest: Hash, signature: Hex): Address | null {
      if (!signaturePattern.test(signature)) return null
      const bytes = fromHex(signature)
      if (Buffer.compare(bytes.subarray(32, 64), halfOrder) > 0) return null
      const publicKey = curve.recover(fromHex(digest), bytes.subarray(0, 64), (bytes[64] as number) - 27)
      return publicKey === null ? null : toAddress(publicKey)
    },
  }
}

function toAddress(publicKey: Uint8Array): Address {
  return toHex(keccak256(publicKey.subarray(1)).subarray(12))
}
