import { createRequire } from 'node:module'

/** secp256k1 over raw bytes: 32-byte digests, keys and scalars, 64-byte r ‖ s, 65-byte uncompressed public keys. */
export interface Curve {
  readonly name: 'native' | 'wasm'
  isPrivateKey(key: Uint8Array): boolean
  toPublicKey(key: Uint8Array): Uint8Array
  /** RFC 6979, s in the lower half */
  sign(digest: Uint8Array, key: Uint8Array): { signature: Uint8Array; recovery: number }
  /** null when no public key fits */
  recover(digest: Uint8Array, signature: Uint8Array, recovery: number): Uint8Array | null
}

/** The part of npm `secp256k1` 5 that is used; it brings no types. */
interface NativeModule {
  privateKeyVerify(key: Uint8Array): boolean
  publicKeyCreate(key: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, key: Uint8Array): { signature: Uint8Array; recid: number }
  ecdsaRecover(signature: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean): Uint8Array
}

/** The native curve (recover 0.06 ms), or null where its binary is not installed or does not load. */
export function loadNativeCurve(): Curve | null {
  let native: NativeModule
  try {
    // Its main file falls back to a JavaScript curve, thirty times slower than WASM: so the binding by name.
    native = createRequire(import.meta.url)('secp256k1/bindings.js') as NativeModule
  } catch {
    return null
  }
  return {
    name: 'native',
    isPrivateKey: (key) => key.length === 32 && native.privateKeyVerify(key),
    toPublicKey: (key) => native.publicKeyCreate(key, false),
    sign: (digest, key) => {
      const { signature, recid } = native.ecdsaSign(digest, key)
      return { signature, recovery: recid }
    },
    recover: (digest, signature, recovery) => {
      try {
        return native.ecdsaRecover(signature, recovery, digest, false)
      } catch {
        // The binding's only way to say that no public key fits.
        return null
      }
    },
  }
}

/** The WASM curve (recover 0.3 ms), for every platform. */
export async function loadWasmCurve(): Promise<Curve> {
  const wasm = await import('tiny-secp256k1')
  return {
    name: 'wasm',
    isPrivateKey: (key) => key.length === 32 && wasm.isPrivate(key),
    toPublicKey: (key) => {
      const publicKey = wasm.pointFromScalar(key, false)
      if (publicKey === null) throw new RangeError('not a private key')
      return publicKey
    },
    sign: (digest, key) => {
      const { signature, recoveryId } = wasm.signRecoverable(digest, key)
      return { signature, recovery: recoveryId }
    },
    recover: (digest, signature, recovery) => {
      try {
        return wasm.recover(digest, signature, recovery as 0 | 1, false)
      } catch {
        // It throws for r or s out of range, and returns null for a point that does not exist.
        return null
      }
    },
  }
}

/** The fastest curve that loads here. */
export const curve: Curve = loadNativeCurve() ?? (await loadWasmCurve())
