import fc from 'fast-check'
import { recoverAddress } from 'viem'
import { sign } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { loadNativeCurve, loadWasmCurve } from '../../../src/chain/secp256k1.ts'
import { createLocalSigner, createSignatureVerifier, parsePrivateKey } from '../../../src/chain/signer.ts'
import { type Hex, toHex } from '../../../src/domain/hex.ts'
import { privateKeyInvalid } from '../../../src/errors/account.ts'

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const toWord = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`
const anyKey = fc.bigInt({ min: 1n, max: order - 1n }).map(toWord)
const anyDigest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
const secretKey: Hex = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const digest: Hex = `0x${'5a'.repeat(32)}`

const native = loadNativeCurve()
const curves = [...(native ? [native] : []), await loadWasmCurve()]

test('the native curve loads where its binary is shipped', (context) => {
  if (`${process.platform}-${process.arch}` !== 'linux-x64') context.skip('skipped: no prebuilt binary is promised on this platform')
  expect(native?.name).toBe('native')
})

describe.each(curves)('with the $name curve', (curve) => {
  test('signs as viem does, bit for bit', async () => {
    const check = async (key: Hex, hash: Hex) => {
      expect(createLocalSigner(key, curve).sign(hash)).toBe(await sign({ hash, privateKey: key, to: 'hex' }))
    }
    await fc.assert(fc.asyncProperty(anyKey, anyDigest, check), { numRuns: 30 })
  })

  test('recovers whom viem recovers', async () => {
    const verifier = createSignatureVerifier(curve)
    const check = async (key: Hex, hash: Hex) => {
      const signer = createLocalSigner(key, curve)
      const signature = signer.sign(hash)
      expect(verifier.recover(hash, signature)).toBe(signer.address)
      expect((await recoverAddress({ hash, signature })).toLowerCase()).toBe(signer.address)
    }
    await fc.assert(fc.asyncProperty(anyKey, anyDigest, check), { numRuns: 20 })
  })

  test('gives another address, or none, for another digest', () => {
    const signer = createLocalSigner(secretKey, curve)
    const signature = signer.sign(digest)
    expect(createSignatureVerifier(curve).recover(`0x${'5b'.repeat(32)}`, signature)).not.toBe(signer.address)
  })

  test('refuses the twin with s in the upper half', () => {
    const signature = createLocalSigner(secretKey, curve).sign(digest)
    const s = BigInt(`0x${signature.slice(66, 130)}`)
    const flippedV = signature.endsWith('1b') ? '1c' : '1b'
    const twin: Hex = `0x${signature.slice(2, 66)}${toWord(order - s).slice(2)}${flippedV}`
    expect(createSignatureVerifier(curve).recover(digest, twin)).toBeNull()
  })

  const signature = createLocalSigner(secretKey, curve).sign(digest)
  const r = signature.slice(2, 66)
  const s = signature.slice(66, 130)
  test.each<[string, string]>([
    ['empty', '0x'],
    ['64 bytes', `0x${r}${s}`],
    ['66 bytes', `${signature}00`],
    ['without 0x', signature.slice(2)],
    ['upper case', `0x${signature.slice(2).toUpperCase()}`],
    ['v 0', `0x${r}${s}00`],
    ['v 29', `0x${r}${s}1d`],
    ['r 0', `0x${'0'.repeat(64)}${s}1b`],
    ['s 0', `0x${r}${'0'.repeat(64)}1b`],
    ['r over the order', `0x${'f'.repeat(64)}${s}1b`],
    ['an r that is no point', `0x${toWord(5n).slice(2)}${s}1b`],
  ])('refuses a signature that is malformed: %s', (_what, malformed) => {
    expect(createSignatureVerifier(curve).recover(digest, malformed as Hex)).toBeNull()
  })

  test.each(['0x', '0x00', toWord(0n), toWord(order), `${secretKey}00`, 'nonsense'])('refuses %s for a private key', (key) => {
    expect(() => createLocalSigner(key as Hex, curve)).toThrow(expect.objectContaining({ code: privateKeyInvalid.code }))
  })
})

test('a key reads with or without 0x, in any case, and an error never shows it', () => {
  const digits = secretKey.slice(2)
  expect(parsePrivateKey(` ${digits.toUpperCase()}\n`, 'the file')).toBe(secretKey)
  expect(parsePrivateKey(secretKey, 'the file')).toBe(secretKey)
  const wrong = `${digits}ff`
  expect(() => parsePrivateKey(wrong, 'the file')).toThrow('the file does not hold a private key.')
})

test('the signer shows nothing of its key', () => {
  const signer = createLocalSigner(secretKey)
  expect(JSON.stringify(signer)).toBe(JSON.stringify({ address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266' }))
})
