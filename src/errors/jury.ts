import { defineError } from './cuckooError.ts'

// ---- what a dispute is opened or settled with ----
export const evidenceMissing = defineError('CUCKOO_JURY_EVIDENCE_MISSING', 'usage', (f: { receipt: string }) => ({
  message: `${f.receipt} holds the receipt, but not the input, params and output that it is about.`,
  hint: 'Give them with --evidence <file>, or use a file that `cuckoo receipt show <taskId> --save <file>` wrote.',
}))
export const evidenceUnreadable = defineError('CUCKOO_JURY_EVIDENCE_UNREADABLE', 'invalid', (f: { path: string; problem: string }) => ({
  message: `${f.path} is no evidence: ${f.problem}.`,
  hint: 'It is a JSON object with the three keys input, params and output, as the receipt of the task has them.',
}))
export const evidenceMismatch = defineError('CUCKOO_JURY_EVIDENCE_MISMATCH', 'invalid', (f: { part: string; found: string; expected: string }) => ({
  message: `The ${f.part} is not the one that was signed: its SHA-256 is ${f.found}, the receipt has ${f.expected}.`,
  hint: 'Fetch the receipt with its content again: `cuckoo receipt show <taskId> --save <file>`.',
}))
export const evidenceTooLarge = defineError('CUCKOO_JURY_EVIDENCE_TOO_LARGE', 'rejected', (f: { bytes: number; maximum: number }) => ({
  message: `The evidence has ${f.bytes} bytes; the court takes ${f.maximum} at most.`,
  hint: 'Input, params and output count together; an addition counts by itself and can be split over several files.',
}))
export const evidenceEmpty = defineError('CUCKOO_JURY_EVIDENCE_EMPTY', 'usage', (f: { path: string }) => ({
  message: `${f.path} is empty.`,
  hint: 'Name a file with something for jurors to read.',
}))
export const receiptUnfit = defineError('CUCKOO_JURY_RECEIPT_UNFIT', 'invalid', (f: { receipt: string; problem: string }) => ({
  message: `The court would not take ${f.receipt}: ${f.problem}.`,
  hint: '`cuckoo receipt verify <receipt>` shows every check; what somebody signed with a key that no longer counts is no evidence.',
}))
export const receiptTooOld = defineError(
  'CUCKOO_JURY_RECEIPT_TOO_OLD',
  'rejected',
  (f: { receipt: string; issuedAt: number; expiredAt: number; nowAt: number; expired: string }) => ({
    message: `${f.receipt} is no evidence any more since ${f.expired}.`,
    hint: 'The court takes a receipt only for a while after its assignment was issued: check receipts soon after the answer.',
  }),
)
export const receiptTooEarly = defineError(
  'CUCKOO_JURY_RECEIPT_TOO_EARLY',
  'rejected',
  (f: { receipt: string; issuedAt: number; nowAt: number; issued: string }) => ({
    message: `${f.receipt} was issued ${f.issued} by its own date, which has not come on the chain.`,
    hint: 'Wait until the chain has passed it, then try again.',
  }),
)
export const reportUnfit = defineError('CUCKOO_JURY_REPORT_UNFIT', 'invalid', (f: { what: string; problem: string }) => ({
  message: `The two receipts do not prove that ${f.what}: ${f.problem}.`,
  hint: '`cuckoo receipt show <file>` shows what each of them says.',
}))

// ---- the own part in a case ----
export const nodeMissing = defineError('CUCKOO_JURY_NODE_MISSING', 'rejected', (f: { account: string }) => ({
  message: `The account ${f.account} is neither a node nor the operator of one.`,
  hint: "Choose the node's owner or operator with --account; `cuckoo account list` shows the accounts.",
}))
export const stageUnfit = defineError(
  'CUCKOO_JURY_STAGE_UNFIT',
  'rejected',
  (f: { caseId: bigint; stage: string; action: string; when: string; next: string }) => ({
    message: `Case ${f.caseId} is ${f.stage}: ${f.action} is possible ${f.when}.`,
    hint: f.next,
  }),
)
export const seatMissing = defineError('CUCKOO_JURY_SEAT_MISSING', 'rejected', (f: { caseId: bigint; round: number; node: string }) => ({
  message: `The node ${f.node} holds no seat in round ${f.round} of case ${f.caseId}.`,
  hint: 'Seats are drawn by bond. `cuckoo jury status` lists the cases in which the own node sits.',
}))
export const voteCommitted = defineError('CUCKOO_JURY_ALREADY_COMMITTED', 'rejected', (f: { caseId: bigint; round: number; node: string }) => ({
  message: `The node ${f.node} has committed to a vote in round ${f.round} of case ${f.caseId} already, and a vote cannot be changed.`,
  hint: `Reveal it when its time has come: \`cuckoo jury reveal ${f.caseId}\`.`,
}))
export const voteNotCommitted = defineError('CUCKOO_JURY_NOT_COMMITTED', 'rejected', (f: { caseId: bigint; round: number; node: string }) => ({
  message: `The node ${f.node} has not committed to a vote in round ${f.round} of case ${f.caseId}, so there is nothing to reveal.`,
  hint: '`cuckoo jury status` shows what can be done now.',
}))
export const voteRevealed = defineError('CUCKOO_JURY_ALREADY_REVEALED', 'rejected', (f: { caseId: bigint; vote: string; node: string }) => ({
  message: `The node ${f.node} has revealed its vote already: ${f.vote}.`,
  hint: `\`cuckoo jury status ${f.caseId}\` shows the tally.`,
}))
export const committedByAnother = defineError(
  'CUCKOO_JURY_KEY_UNFIT',
  'denied',
  (f: { caseId: bigint; account: string; keys: readonly string[]; names: readonly string[] }) => ({
    message: `The vote in case ${f.caseId} was not committed with the key ${f.account}: no vote fits its salt.${
      f.keys.length === 0 ? '' : ` Other keys of the node: ${f.keys.join(', ')}.`
    }`,
    hint: `Name the account that committed: \`cuckoo jury reveal ${f.caseId} --committed-by ${f.names[0] ?? '<account>'}\`${
      f.names.length === 0 ? ', on the machine that keeps it' : ''
    }.`,
  }),
)
export const seedPending = defineError(
  'CUCKOO_JURY_SEED_PENDING',
  'unavailable',
  (f: { caseId: bigint; randomnessRound: bigint; reachedAt: number; when: string }) => ({
    message: `The seed of case ${f.caseId} cannot be had yet: its round ${f.randomnessRound} comes ${f.when}.`,
    hint: `Try again then, or wait for it: \`cuckoo jury seal ${f.caseId} --timeout 30m\`.`,
  }),
)
export const sideStands = defineError('CUCKOO_JURY_SIDE_STANDS', 'rejected', (f: { caseId: bigint; side: string }) => ({
  message: `Case ${f.caseId} stands as ${f.side}: an appeal is for the side that does not stand.`,
  hint: `\`cuckoo appeal ${f.caseId} ${f.side === 'valid' ? 'invalid' : 'valid'}\` appeals against it; without an appeal it becomes final.`,
}))
