import { createPublicKey, createSecretKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto'
import { fromHex, type Hash, toHex } from '../domain/hex.ts'
import { sessionInvalid } from '../errors/api.ts'

/** A fresh X25519 key pair (RFC 7748); the public key as 32 bytes of hex. */
export function createAgreementKeys(): { privateKey: KeyObject; publicKey: Hash } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  return { privateKey, publicKey: toHex(Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url')) }
}

/**
 * The session's HMAC key, 32 bytes: HKDF-SHA256 (RFC 5869) over the X25519 secret, salted with the session id. That id is the hash of both signed
 * digests, so the key is bound to chain id, contract, both nodes, both public keys, the time and the nonce: change one and the two ends disagree.
 * @throws CUCKOO_SESSION_INVALID when the other side's public key is a point of small order
 */
export function createSessionKey(privateKey: KeyObject, theirPublicKey: Hash, sessionId: Hash): KeyObject {
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'X25519', x: Buffer.from(fromHex(theirPublicKey)).toString('base64url') } })
  let secret: Buffer
  try {
    // OpenSSL refuses an all-zero shared secret (RFC 7748, section 6.1).
    secret = diffieHellman({ privateKey, publicKey })
  } catch (cause) {
    throw sessionInvalid({ reason: 'the X25519 public key is not usable' }, { cause })
  }
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, fromHex(sessionId), 'cuckoo session 1', 32)))
}
