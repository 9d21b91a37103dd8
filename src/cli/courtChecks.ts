import { encodeCanonical, sha256 } from '../domain/canonical.ts'
import type { Chain } from '../domain/chainPort.ts'
import { type Evidence, maxEvidenceBytes } from '../domain/dispute.ts'
import type { Address, Hash, Hex } from '../domain/hex.ts'
import { type Receipt, type SignedAssignment, toAssignmentDigest, toResultDigest } from '../domain/receipt.ts'
import { evidenceMismatch, evidenceTooLarge, receiptTooEarly, receiptTooOld, receiptUnfit } from '../errors/jury.ts'
import type { Context } from './context.ts'
import { formatTime, formatWhen } from './format.ts'

/** The chain's time and the windows that decide what the court still takes, in seconds. */
export interface CourtClock {
  nowAt: number
  evidenceSeconds: number
  thawSeconds: number
}

/** The chain's time, not this machine's: it is the contract that judges. */
export async function getCourtClock(chain: Chain): Promise<CourtClock> {
  const [{ latest }, { evidenceSeconds, thawSeconds }] = await Promise.all([chain.getBlocks(), chain.getParameters()])
  return { nowAt: latest.timestamp, evidenceSeconds, thawSeconds }
}

/** The evidence for a content: canonical JSON in UTF-8, the bytes whose SHA-256 the receipt carries. */
export function toEvidence(content: { input: unknown; params: unknown; output: unknown }): Evidence {
  return { input: encodeCanonical(content.input).bytes, params: encodeCanonical(content.params).bytes, output: encodeCanonical(content.output).bytes }
}

/** Bytes of all three parts together. */
export function toEvidenceBytes(evidence: Evidence): number {
  return evidence.input.length + evidence.params.length + evidence.output.length
}

/**
 * Checks that `evidence` is what `receipt` was signed over, and that the court takes so much.
 * @throws CUCKOO_JURY_EVIDENCE_MISMATCH, CUCKOO_JURY_EVIDENCE_TOO_LARGE
 */
export function assertEvidence({ assignment, result }: Receipt, evidence: Evidence): void {
  const expected = { input: assignment.inputHash, params: assignment.paramsHash, output: result.outputHash }
  for (const part of ['input', 'params', 'output'] as const) {
    const found = sha256(evidence[part])
    if (found !== expected[part]) throw evidenceMismatch({ part, found, expected: expected[part] })
  }
  const bytes = toEvidenceBytes(evidence)
  if (bytes > maxEvidenceBytes) throw evidenceTooLarge({ bytes, maximum: maxEvidenceBytes })
}

/**
 * Checks that the court's evidence clock still runs for an assignment of `issuedAt`.
 * @throws CUCKOO_JURY_RECEIPT_TOO_OLD, CUCKOO_JURY_RECEIPT_TOO_EARLY
 */
export function assertInTime(receipt: string, issuedAt: number, { nowAt, evidenceSeconds }: CourtClock): void {
  const expiredAt = issuedAt + evidenceSeconds
  if (issuedAt > nowAt) throw receiptTooEarly({ receipt, issuedAt, nowAt, issued: formatTime(issuedAt) })
  if (nowAt > expiredAt) throw receiptTooOld({ receipt, issuedAt, expiredAt, nowAt, expired: formatWhen(expiredAt, nowAt) })
}

interface Signed {
  /** as it is called in messages */
  named: string
  who: 'coordinator' | 'miner'
  node: Address
  issuedAt: number
  digest: Hash
  signature: Hex
}

/**
 * Checks that the coordinator's key signed the assignment, as the court will when it is presented now.
 * @throws CUCKOO_JURY_RECEIPT_UNFIT naming what does not fit
 */
export async function assertAssignmentSigned(context: Context<never>, chain: Chain, clock: CourtClock, named: string, signed: SignedAssignment): Promise<void> {
  const { assignment, assignmentSignature: signature } = signed
  const digest = toAssignmentDigest(chain.domainSeparator, assignment)
  await assertSigned(context, chain, clock, {
    named,
    who: 'coordinator',
    node: assignment.coordinator,
    issuedAt: Number(assignment.issuedAt),
    digest,
    signature,
  })
}

/**
 * Checks both signatures of a receipt and that its result belongs to its assignment, as the court will when it is presented now.
 * @throws CUCKOO_JURY_RECEIPT_UNFIT naming what does not fit
 */
export async function assertReceiptSigned(context: Context<never>, chain: Chain, clock: CourtClock, named: string, receipt: Receipt): Promise<void> {
  const { assignment, result, resultSignature: signature } = receipt
  await assertAssignmentSigned(context, chain, clock, named, receipt)
  if (result.assignment !== toAssignmentDigest(chain.domainSeparator, assignment)) {
    throw receiptUnfit({ receipt: named, problem: 'its result is for another assignment' })
  }
  const digest = toResultDigest(chain.domainSeparator, result)
  await assertSigned(context, chain, clock, { named, who: 'miner', node: assignment.miner, issuedAt: Number(assignment.issuedAt), digest, signature })
}

/** The rule of IStakingHooks.partyOf: a replaced key counts for one thaw, and only for what was issued before it was replaced. */
async function assertSigned({ ports }: Context<never>, chain: Chain, { nowAt, thawSeconds }: CourtClock, signed: Signed): Promise<void> {
  const { named: receipt, who, node, issuedAt } = signed
  const signer = (await ports.getVerifier()).recover(signed.digest, signed.signature)
  if (signer === null) throw receiptUnfit({ receipt, problem: `the ${who}'s signature is malformed` })
  const record = await chain.findOperator(signer)
  if (record?.node !== node)
    throw receiptUnfit({ receipt, problem: `the key ${signer} that signed it is not the ${who}'s, or it was signed for another network` })
  if (record.validUntil === 2n ** 64n - 1n) return
  const validUntil = Number(record.validUntil)
  if (nowAt > validUntil)
    throw receiptUnfit({ receipt, problem: `the ${who}'s key ${signer} was replaced, and counts no longer since ${formatTime(validUntil)}` })
  if (issuedAt > validUntil - thawSeconds) throw receiptUnfit({ receipt, problem: `the ${who}'s key ${signer} was replaced before the assignment was issued` })
}
