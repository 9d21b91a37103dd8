import { toDigest } from './eip712.ts'
import type { Address, Hash, Hex } from './hex.ts'
import { type Assignment, assignment as assignmentStructure, type Result, result as resultStructure } from './signedStructures.ts'

/** An assignment signed by the coordinator's operator and a result signed by the miner's: neither side can frame the other. */
export interface Receipt {
  assignment: Assignment
  /** 65 bytes r ‖ s ‖ v by the coordinator's operator */
  assignmentSignature: Hex
  result: Result
  /** 65 bytes r ‖ s ‖ v by the miner's operator */
  resultSignature: Hex
}

/** The coordinator's half of a receipt. */
export type SignedAssignment = Pick<Receipt, 'assignment' | 'assignmentSignature'>

export interface ReceiptCheck {
  name: 'coordinator signature' | 'miner signature' | 'result belongs to assignment' | 'price within maximum'
  ok: boolean
  /** what was found, and what was expected when it is not ok */
  detail: string
}

/** Price in wei: units × unit price, at most the maximum. */
export function toPrice(receipt: { assignment: Assignment; result: Result }): bigint {
  const price = receipt.result.units * receipt.assignment.unitPriceWei
  return price < receipt.assignment.maxPriceWei ? price : receipt.assignment.maxPriceWei
}

/** Digest of the assignment: what the coordinator's operator signs and `Result.assignment` holds. */
export function toAssignmentDigest(domainSeparator: Uint8Array, assignment: Assignment): Hash {
  return toDigest(domainSeparator, assignmentStructure, assignment)
}

/** Digest of the result: what the miner's operator signs. */
export function toResultDigest(domainSeparator: Uint8Array, result: Result): Hash {
  return toDigest(domainSeparator, resultStructure, result)
}

/**
 * The checks of a receipt, in order, each with what was found. `recover` gives the address that signed a digest, or null for
 * a malformed signature; `operators` are the keys that the chain names for both parties (null: the chain knows none).
 */
export function verifyReceipt(
  receipt: Receipt,
  domainSeparator: Uint8Array,
  recover: (digest: Hash, signature: Hex) => Address | null,
  operators: { coordinator: readonly Address[]; miner: readonly Address[] },
): ReceiptCheck[] {
  const assignmentDigest = toAssignmentDigest(domainSeparator, receipt.assignment)
  const resultDigest = toResultDigest(domainSeparator, receipt.result)
  const checkSigner = (name: ReceiptCheck['name'], signer: Address | null, expected: readonly Address[]): ReceiptCheck => ({
    name,
    ok: signer !== null && expected.includes(signer),
    detail:
      signer === null ? 'the signature is malformed' : expected.includes(signer) ? signer : `${signer}, expected ${expected.join(' or ') || 'no key on chain'}`,
  })
  const belongs = receipt.result.assignment === assignmentDigest
  const units = receipt.result.units * receipt.assignment.unitPriceWei
  return [
    checkSigner('coordinator signature', recover(assignmentDigest, receipt.assignmentSignature), operators.coordinator),
    checkSigner('miner signature', recover(resultDigest, receipt.resultSignature), operators.miner),
    { name: 'result belongs to assignment', ok: belongs, detail: belongs ? assignmentDigest : `${receipt.result.assignment}, expected ${assignmentDigest}` },
    { name: 'price within maximum', ok: units <= receipt.assignment.maxPriceWei, detail: `${units} wei of at most ${receipt.assignment.maxPriceWei} wei` },
  ]
}
