import { defineError } from './cuckooError.ts'
import { defineRefusals } from './refusals.ts'

/** What the court, and the randomness behind it, refuses: one for each error of ICourt and IRandomness. */
export const { notActing, signatureInvalid, payoutFailed, parameterInvalid, amountOverCapacity, contractBusy } = defineRefusals('COURT')

// ---- reports and challenges ----
export const notEvidence = defineError('CUCKOO_COURT_NOT_EVIDENCE', 'rejected', (f: { reason: string }) => ({
  message: `This proves nothing: ${f.reason}.`,
  hint: 'What counts as proof is told by `cuckoo report miner --help` and `cuckoo report coordinator --help`.',
}))
export const evidenceExpired = defineError('CUCKOO_COURT_EVIDENCE_EXPIRED', 'rejected', (f: { expiredAt: number }) => ({
  message: `The time for evidence about this assignment ended at ${f.expiredAt} (unix seconds), or has not begun.`,
  hint: 'Only assignments of the last days can be brought to court: `cuckoo challenge --help`.',
}))
export const evidenceTooLarge = defineError('CUCKOO_COURT_EVIDENCE_TOO_LARGE', 'rejected', (f: { bytes: bigint; maximumBytes: bigint }) => ({
  message: `The evidence has ${f.bytes} bytes; the court takes ${f.maximumBytes}.`,
  hint: 'A result of this size cannot be challenged on chain; re-check it with `cuckoo receipt verify`.',
}))
export const hashMismatch = defineError('CUCKOO_COURT_HASH_MISMATCH', 'rejected', (f: { field: string }) => ({
  message: `The ${f.field} is not the one whose hash the receipt carries.`,
  hint: 'Give the exact bytes; `cuckoo receipt verify` compares them with the receipt.',
}))
export const evidenceConsumed = defineError('CUCKOO_COURT_CONSUMED', 'rejected', (f: { key: string }) => ({
  message: `This has been judged: the evidence ${f.key} is used up by a final verdict.`,
  hint: 'See the node with `cuckoo node show <node>`.',
}))
export const disputeOpen = defineError('CUCKOO_COURT_ALREADY_OPEN', 'rejected', (f: { key: string; caseId: bigint }) => ({
  message: `Case ${f.caseId} is open about this assignment.`,
  hint: `Follow it with \`cuckoo jury status ${f.caseId}\`; after a verdict \`cuckoo appeal ${f.caseId}\` is possible.`,
}))
export const nothingAtRisk = defineError('CUCKOO_COURT_NOTHING_AT_RISK', 'rejected', (f: { node: string }) => ({
  message: `The node ${f.node} has no bond left that could be taken.`,
  hint: `See it with \`cuckoo node show ${f.node}\`.`,
}))
export const courtBondTooLow = defineError('CUCKOO_COURT_BOND_TOO_LOW', 'rejected', (f: { sentCai: string; neededCai: string }) => ({
  message: `A bond of ${f.sentCai} CAI came with this; ${f.neededCai} CAI are needed now.`,
  hint: 'The bond doubles with each open dispute on a node: try again, the command asks for it afresh (`cuckoo challenge`, `cuckoo appeal`).',
}))

// ---- rounds ----
export const caseUnknown = defineError('CUCKOO_COURT_CASE_UNKNOWN', 'rejected', (f: { caseId: bigint }) => ({
  message: `There is no case ${f.caseId} of this kind.`,
  hint: 'See the open ones with `cuckoo jury status`.',
}))
export const stageInvalid = defineError('CUCKOO_COURT_STAGE_INVALID', 'rejected', (f: { caseId: bigint; stage: string }) => ({
  message: `Case ${f.caseId} is ${f.stage}: this cannot be done now.`,
  hint: `See where it stands with \`cuckoo jury status ${f.caseId}\`.`,
}))
export const sideStands = defineError('CUCKOO_COURT_SIDE_STANDS', 'rejected', (f: { caseId: bigint; side: string }) => ({
  message: `Case ${f.caseId} stands at '${f.side}': an appeal must be for another side.`,
  hint: `See the verdict with \`cuckoo jury status ${f.caseId}\`.`,
}))
export const noSeat = defineError('CUCKOO_COURT_NO_SEAT', 'rejected', (f: { caseId: bigint; round: number; node: string }) => ({
  message: `The node ${f.node} has no seat in round ${f.round + 1} of case ${f.caseId}.`,
  hint: `See the seats with \`cuckoo jury status ${f.caseId}\`.`,
}))
export const voteCommitted = defineError('CUCKOO_COURT_ALREADY_COMMITTED', 'rejected', (f: { caseId: bigint; node: string }) => ({
  message: `The node ${f.node} has committed to a vote in case ${f.caseId} already.`,
  hint: `Show it in time with \`cuckoo jury reveal ${f.caseId}\`.`,
}))
export const commitmentInvalid = defineError('CUCKOO_COURT_COMMITMENT_INVALID', 'rejected', (f: { caseId: bigint; node: string }) => ({
  message: `Vote and salt are not what the node ${f.node} committed to in case ${f.caseId}, or it revealed them already.`,
  hint: `See its seat with \`cuckoo jury status ${f.caseId}\`; the salt comes from the operator key that committed.`,
}))
export const notFinable = defineError('CUCKOO_COURT_NOT_FINABLE', 'rejected', (f: { caseId: bigint; round: number; node: string }) => ({
  message: `The node ${f.node} owes nothing for round ${f.round + 1} of case ${f.caseId}: it did its duty, was fined already, or the time is not there or over.`,
  hint: `See its seat with \`cuckoo jury status ${f.caseId}\`.`,
}))
export const notPayable = defineError('CUCKOO_COURT_NOT_PAYABLE', 'rejected', (f: { caseId: bigint; round: number; node: string }) => ({
  message: `The node ${f.node} has no pay to come for round ${f.round + 1} of case ${f.caseId}: the case is open, it did not vote as the case ended, or it was paid.`,
  hint: `See its seat with \`cuckoo jury status ${f.caseId}\`.`,
}))

// ---- payouts ----
export const creditNotReleased = defineError('CUCKOO_COURT_CREDIT_NOT_RELEASED', 'rejected', (f: { caseId: bigint; releaseAt: number }) => ({
  message: `The cut of case ${f.caseId} can be withdrawn from ${f.releaseAt} (unix seconds) on.`,
  hint: '`cuckoo status` shows when.',
}))
export const nothingToWithdraw = defineError('CUCKOO_COURT_NOTHING_TO_WITHDRAW', 'rejected', (f: { account: string }) => ({
  message: `The court holds nothing for ${f.account}.`,
  hint: 'See every bucket with `cuckoo status`.',
}))

export const payerInvalid = defineError('CUCKOO_COURT_CALLER_INVALID', 'denied', (f: { caller: string }) => ({
  message: `The court takes plain transfers from the staking contract only, not from ${f.caller}.`,
  hint: 'Money for rewards goes to `cuckoo fund <role> <amount>`.',
}))

// ---- randomness ----
export const seedNotReached = defineError('CUCKOO_COURT_SEED_NOT_REACHED', 'rejected', (f: { round: bigint; reachedAt: number }) => ({
  message: `Randomness round ${f.round} is there from ${f.reachedAt} (unix seconds) on.`,
  hint: 'Run `cuckoo jury seal` again then.',
}))
export const seedProofInvalid = defineError('CUCKOO_COURT_SEED_PROOF_INVALID', 'invalid', (f: { round: bigint }) => ({
  message: `The beacon's signature of round ${f.round} is not valid.`,
  hint: 'Try `cuckoo jury seal` again: it fetches the round from another server.',
}))
export const randomnessUnsupported = defineError('CUCKOO_COURT_RANDOMNESS_UNSUPPORTED', 'config', (f: { chainId: bigint | number }) => ({
  message: `Block hashes can be chosen by any user of chain ${f.chainId}: they are for the devnet (31337) only.`,
  hint: 'Deploy with drand: `cuckoo deploy --randomness drand`.',
}))
const publishedBeacon = 'Deploy with the published evmnet beacon: `cuckoo deploy --randomness drand`.'
export const beaconKeyInvalid = defineError('CUCKOO_COURT_BEACON_KEY_INVALID', 'usage', () => ({
  message: "The beacon's group key is no point of G2.",
  hint: publishedBeacon,
}))
export const beaconPeriodInvalid = defineError('CUCKOO_COURT_BEACON_PERIOD_INVALID', 'usage', () => ({
  message: "The beacon's period is zero.",
  hint: publishedBeacon,
}))
export const pairingMissing = defineError('CUCKOO_COURT_PAIRING_MISSING', 'config', (f: { precompile: string }) => ({
  message: `The chain's pairing precompile ${f.precompile} does not answer: drand's signatures cannot be verified there.`,
  hint: 'Give the transaction more gas, or deploy on a chain that has the precompiles of EIP-196 and EIP-197: `cuckoo deploy --help`.',
}))
