import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Hash } from './hex.ts'

/** `value` as RFC 8785 canonical JSON: one text for one value, whoever writes it. Integers over 2^53 must be strings already. */
export function toCanonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('a value without JSON form cannot be hashed')
  return text
}

/** SHA-256 of `bytes` as 0x hex. */
export function sha256(bytes: Uint8Array | string): Hash {
  return `0x${hash('sha256', bytes, 'hex')}`
}

/** SHA-256 over the canonical JSON of `value`: the hash of inputs, params, outputs and manifests. @example hashCanonical({ b: 1, a: 2 }) === hashCanonical({ a: 2, b: 1 }) // true */
export function hashCanonical(value: unknown): Hash {
  return sha256(toCanonicalJson(value))
}

/** The canonical JSON of `value` in UTF-8, with its SHA-256 ({@link hashCanonical}): what is kept under its own hash. */
export function encodeCanonical(value: unknown): { hash: Hash; bytes: Uint8Array } {
  const bytes = Buffer.from(toCanonicalJson(value))
  return { hash: sha256(bytes), bytes }
}
