import { defineStructure, type Message } from './eip712.ts'

/**
 * The structures that parties sign, fixed for every part of cuckoo: the contracts, the coordinator, the miner, the app and the
 * jury sign and verify these and no others. Parties are node (owner) addresses; the signer is the node's operator.
 */
export const registration = defineStructure('Registration', {
  owner: 'address',
  operator: 'address',
  role: 'uint8',
  nonce: 'uint256',
  deadline: 'uint64',
})
export const session = defineStructure('Session', {
  node: 'address',
  coordinator: 'address',
  publicKey: 'bytes32',
  issuedAt: 'uint64',
  nonce: 'bytes32',
})
export const sessionAccept = defineStructure('SessionAccept', {
  coordinator: 'address',
  node: 'address',
  publicKey: 'bytes32',
  nonce: 'bytes32',
})
export const assignment = defineStructure('Assignment', {
  taskId: 'bytes32',
  attempt: 'uint32',
  coordinator: 'address',
  miner: 'address',
  manifest: 'bytes32',
  inputHash: 'bytes32',
  paramsHash: 'bytes32',
  seed: 'uint64',
  unitPriceWei: 'uint128',
  maxPriceWei: 'uint128',
  issuedAt: 'uint64',
  deadline: 'uint64',
  drawRef: 'bytes32',
})
export const result = defineStructure('Result', {
  assignment: 'bytes32',
  outputHash: 'bytes32',
  units: 'uint64',
  finishReason: 'uint8',
})
export const voucher = defineStructure('Voucher', {
  coordinator: 'address',
  miner: 'address',
  cumulativeWei: 'uint128',
  issuedAt: 'uint64',
})
/**
 * Signed by a juror for itself and never shown: keccak256 of the signature is the salt of its vote. Signatures are deterministic
 * (RFC 6979), so a juror that lost its notes can still reveal.
 */
export const jurorSalt = defineStructure('JurorSalt', {
  court: 'address',
  caseId: 'uint256',
  round: 'uint8',
  node: 'address',
})

export type Registration = Message<typeof registration.fields>
export type Session = Message<typeof session.fields>
export type SessionAccept = Message<typeof sessionAccept.fields>
export type Assignment = Message<typeof assignment.fields>
export type Result = Message<typeof result.fields>
export type Voucher = Message<typeof voucher.fields>
