import fc from 'fast-check'
import { hashDomain, hashTypedData } from 'viem'
import { expect, test } from 'vitest'
import { toRegistrationDigest, toRegistrationTypedData } from '../../../src/chain/registration.ts'
import { type Fields, type FieldType, type Structure, toDigest, toDomainSeparator } from '../../../src/domain/eip712.ts'
import { type Hex, toHex, zeroAddress } from '../../../src/domain/hex.ts'
import * as structures from '../../../src/domain/signedStructures.ts'

const toBytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex)
const toUint = (bits: bigint) => fc.oneof(fc.constantFrom(0n, 2n ** bits - 1n), fc.bigInt({ min: 0n, max: 2n ** bits - 1n }))
const values: Record<FieldType, fc.Arbitrary<Hex | bigint | number>> = {
  address: toBytes(20),
  bytes32: toBytes(32),
  uint8: fc.integer({ min: 0, max: 255 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  uint64: toUint(64n),
  uint128: toUint(128n),
  uint256: toUint(256n),
}
const anyDomain = fc.record({ chainId: fc.integer({ min: 1, max: 2 ** 48 }), verifyingContract: toBytes(20) })
const withDomain = (domain: { chainId: number; verifyingContract: Hex }) => ({ name: 'Cuckoo', version: '1', ...domain })
const known: [string, Structure<Fields>][] = Object.values(structures).map((structure) => [structure.name, structure as unknown as Structure<Fields>])

test('all structures of the protocol are here', () => {
  expect(known.map(([name]) => name).sort()).toEqual(['Assignment', 'JurorSalt', 'Registration', 'Result', 'Session', 'SessionAccept', 'Voucher'])
})

test.each(known)('%s has the digest that viem gives it', (name, structure) => {
  const anyMessage = fc.record(Object.fromEntries(Object.entries(structure.fields).map(([field, type]) => [field, values[type]])))
  const types = { [name]: Object.entries(structure.fields).map(([field, type]) => ({ name: field, type })) }
  fc.assert(
    fc.property(anyDomain, anyMessage, (domain, message) => {
      const ours = toDigest(toDomainSeparator(domain), structure, message as never)
      expect(ours).toBe(hashTypedData({ domain: withDomain(domain), types, primaryType: name, message }))
    }),
    { numRuns: 50 },
  )
})

test('the domain separator is the one that viem gives', () => {
  fc.assert(
    fc.property(anyDomain, (domain) => {
      const types = toRegistrationTypedData(toDeployment(domain), input).types
      expect(toHex(toDomainSeparator(domain))).toBe(hashDomain({ domain: withDomain(domain), types }))
    }),
    { numRuns: 20 },
  )
})

const input = { owner: `0x${'11'.repeat(20)}`, operator: `0x${'22'.repeat(20)}`, role: 'coordinator', nonce: 3n, deadline: 1_900_000_000 } as const

function toDeployment(domain: { chainId: number; verifyingContract: Hex }) {
  const { chainId, verifyingContract: staking } = domain
  const contracts = { staking, payments: zeroAddress, court: zeroAddress, epochs: zeroAddress, randomness: zeroAddress }
  return { network: 'devnet', chainId, contracts, randomness: 'drand' as const, deploymentBlock: 0, rpcUrls: [] }
}

test('the typed data for a wallet elsewhere is JSON and hashes to the registration digest', () => {
  const deployment = toDeployment({ chainId: 1200, verifyingContract: `0x${'33'.repeat(20)}` })
  const typedData = JSON.parse(JSON.stringify(toRegistrationTypedData(deployment, input)))
  expect(hashTypedData(typedData)).toBe(toRegistrationDigest(deployment, input))
})
