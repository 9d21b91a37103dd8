/** Small interfaces that roles speak and adaptors implement; the chain's, the stores' and the engine's have files of their own. */
import type { Address, Hash, Hex } from './hex.ts'

export interface Clock {
  /** unix milliseconds */
  nowMs(): number
}

/** A key that signs 32-byte digests. The key itself never leaves the adaptor. */
export interface Signer {
  readonly address: Address
  /** 65 bytes r ‖ s ‖ v (v 27 or 28), s in the lower half */
  sign(digest: Hash): Hex
}

/** secp256k1 verification, native where it is there. */
export interface SignatureVerifier {
  /** the address that signed, or null for a malformed or high-s signature */
  recover(digest: Hash, signature: Hex): Address | null
}
