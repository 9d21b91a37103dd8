import { type KeyObject, randomBytes } from 'node:crypto'
import { sha256 } from '../domain/canonical.ts'
import { toDigest } from '../domain/eip712.ts'
import { type Address, fromHex, type Hash, type Hex, toHex } from '../domain/hex.ts'
import type { Clock, SignatureVerifier, Signer } from '../domain/ports.ts'
import { sessionAccept as acceptStructure, session as sessionStructure } from '../domain/signedStructures.ts'
import { clockSkewed, sessionInvalid, signatureForeign } from '../errors/api.ts'
import { maxClockSkewSeconds, toSessionHeaders } from './session.ts'
import { createAgreementKeys, createSessionKey } from './sessionKeys.ts'
import type { AgreedSession } from './sessionRegistry.ts'

/** The signed part of the `openSession` body. */
export interface SessionRequest {
  node: Address
  coordinator: Address
  /** X25519 */
  publicKey: Hash
  /** unix seconds */
  issuedAt: number
  nonce: Hash
  /** EIP-712 Session by the miner's operator */
  signature: Hex
}

/** The signed part of the `openSession` answer. */
export interface SessionAccept {
  sessionId: Hash
  coordinator: Address
  /** X25519 */
  publicKey: Hash
  /** EIP-712 SessionAccept by the coordinator's operator */
  signature: Hex
}

/** What the miner keeps until the answer comes. */
export interface PendingSession {
  request: SessionRequest
  privateKey: KeyObject
}

/** The miner's end of a session: puts the session's headers on each request. */
export interface ClientSession {
  readonly id: Hash
  /** The four `x-cuckoo-*` headers of one request; each call uses up a sequence number. */
  sign(request: { method: string; path: string; body: Uint8Array }): Record<string, string>
}

/** A signed request for a session, with a fresh key and nonce (EIP-712 `Session`). Send `request`; keep `privateKey` for {@link verifySessionAccept}. */
export function createSessionRequest(input: {
  node: Address
  coordinator: Address
  signer: Signer
  domainSeparator: Uint8Array
  clock: Clock
}): PendingSession {
  const { privateKey, publicKey } = createAgreementKeys()
  const unsigned = {
    node: input.node,
    coordinator: input.coordinator,
    publicKey,
    issuedAt: Math.floor(input.clock.nowMs() / 1000),
    nonce: toHex(randomBytes(32)),
  }
  return { privateKey, request: { ...unsigned, signature: input.signer.sign(toRequestDigest(input.domainSeparator, unsigned)) } }
}

/**
 * The coordinator's answer to a request for a session, and the session for `SessionRegistry.open`. That the miner may mine here is for the caller to check.
 * @throws CUCKOO_SESSION_CLOCK_SKEWED more than 60 s apart, with this clock's time
 * @throws CUCKOO_SESSION_INVALID addressed to another coordinator, or an unusable public key
 * @throws CUCKOO_API_SIGNATURE_FOREIGN not signed by one of `operators`
 */
export function acceptSession(input: {
  request: SessionRequest
  /** keys the chain names for the miner now */
  operators: readonly Address[]
  coordinator: Address
  signer: Signer
  verifier: SignatureVerifier
  domainSeparator: Uint8Array
  clock: Clock
}): { agreed: AgreedSession; accept: SessionAccept & { serverTime: number } } {
  const { request, coordinator, domainSeparator } = input
  const serverTime = Math.floor(input.clock.nowMs() / 1000)
  if (Math.abs(serverTime - request.issuedAt) > maxClockSkewSeconds) {
    throw clockSkewed({ theirTime: request.issuedAt, serverTime, maximumSeconds: maxClockSkewSeconds })
  }
  if (request.coordinator !== coordinator) throw sessionInvalid({ reason: `it is addressed to ${request.coordinator}, this is ${coordinator}` })
  const requestDigest = toRequestDigest(domainSeparator, request)
  const operator = input.verifier.recover(requestDigest, request.signature)
  assertSigner('handshake', operator, input.operators)
  const { privateKey, publicKey } = createAgreementKeys()
  const acceptDigest = toDigest(domainSeparator, acceptStructure, { coordinator, node: request.node, publicKey, nonce: request.nonce })
  const id = toSessionId(requestDigest, acceptDigest)
  const key = createSessionKey(privateKey, request.publicKey, id)
  return {
    agreed: { id, node: request.node, operator, nonce: request.nonce, key },
    accept: { sessionId: id, coordinator, publicKey, signature: input.signer.sign(acceptDigest), serverTime },
  }
}

/**
 * The miner's end of the session that the coordinator accepted.
 * @throws CUCKOO_API_SIGNATURE_FOREIGN not signed by one of `operators`
 * @throws CUCKOO_SESSION_INVALID the answer belongs to another request or coordinator
 */
export function verifySessionAccept(input: {
  pending: PendingSession
  accept: SessionAccept
  /** keys the chain names for the coordinator now */
  operators: readonly Address[]
  verifier: SignatureVerifier
  domainSeparator: Uint8Array
  clock: Clock
}): ClientSession {
  const { accept, domainSeparator } = input
  const { request, privateKey } = input.pending
  if (accept.coordinator !== request.coordinator) throw sessionInvalid({ reason: `${accept.coordinator} answered in the place of ${request.coordinator}` })
  const acceptDigest = toDigest(domainSeparator, acceptStructure, {
    coordinator: request.coordinator,
    node: request.node,
    publicKey: accept.publicKey,
    nonce: request.nonce,
  })
  assertSigner('answer to the handshake', input.verifier.recover(acceptDigest, accept.signature), input.operators)
  const id = toSessionId(toRequestDigest(domainSeparator, request), acceptDigest)
  if (id !== accept.sessionId) throw sessionInvalid({ reason: 'its id is not that of this handshake' })
  const key = createSessionKey(privateKey, accept.publicKey, id)
  let sequence = 0
  return {
    id,
    sign: (sent) => {
      sequence += 1
      return toSessionHeaders(id, key, { ...sent, time: Math.floor(input.clock.nowMs() / 1000), sequence })
    },
  }
}

function assertSigner(what: string, signer: Address | null, operators: readonly Address[]): asserts signer is Address {
  if (signer === null || !operators.includes(signer)) throw signatureForeign({ what, expected: operators.join(' or ') || 'any key on chain' })
}

function toRequestDigest(domainSeparator: Uint8Array, request: Omit<SessionRequest, 'signature'>): Hash {
  return toDigest(domainSeparator, sessionStructure, {
    node: request.node,
    coordinator: request.coordinator,
    publicKey: request.publicKey,
    issuedAt: BigInt(request.issuedAt),
    nonce: request.nonce,
  })
}

function toSessionId(requestDigest: Hash, acceptDigest: Hash): Hash {
  return sha256(Buffer.concat([fromHex(requestDigest), fromHex(acceptDigest)]))
}
