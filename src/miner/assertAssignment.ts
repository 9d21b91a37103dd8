import type { Address, Hash, Hex } from '../domain/hex.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { SignatureVerifier } from '../domain/ports.ts'
import { toAssignmentDigest } from '../domain/receipt.ts'
import type { Assignment } from '../domain/signedStructures.ts'
import { type TaskContent, toInputHash, toMaxUnits, toParamsHash } from '../domain/task.ts'
import {
  assignmentDeadlineInvalid,
  assignmentForeign,
  assignmentHashMismatch,
  assignmentMisdirected,
  assignmentModelUnknown,
  assignmentStale,
  assignmentUnderfunded,
  assignmentUnderpriced,
} from '../errors/miner.ts'
import { assertFits } from './assertFits.ts'

/** An assignment may be issued at most this far from the miner's clock: a back-dated one would be judged by old rules. */
const maxIssuedAtSkewSeconds = 60
/** Evidence is kept, and the court's clock runs, from the issue: `deadline ≤ issuedAt + 1 d`. */
const maxTaskSeconds = 86_400

/** An assignment as a coordinator sends it. */
export interface AssignedTask {
  assignment: Assignment
  signature: Hex
  /** nothing signs it, and people read it: it has to be the manifest's */
  model: string
  content: TaskContent
}

/** What an assignment is checked against. */
export interface AssignmentRules {
  domainSeparator: Uint8Array
  verifier: SignatureVerifier
  miner: Address
  coordinator: Address
  /** keys that count as the coordinator's operator: the one of the handshake and the one on chain now */
  operators: readonly Address[]
  /** loaded manifests by digest */
  findManifest(digest: Hash): Manifest | undefined
  minUnitPriceWei: bigint
  /** unix seconds */
  now: number
}

/**
 * The digest of an assignment that this miner may run: signed by the coordinator's operator, for us, fresh, paid, and its hashes
 * are those of its content.
 *
 * @throws CUCKOO_MINER_ASSIGNMENT_FOREIGN when another key signed it
 * @throws CUCKOO_MINER_ASSIGNMENT_MISDIRECTED when it names another miner or coordinator, or comes under another name than its model's
 * @throws CUCKOO_MINER_ASSIGNMENT_STALE when it was issued more than 60 s from `now`
 * @throws CUCKOO_MINER_ASSIGNMENT_DEADLINE when the deadline has passed or is more than a day after the issue
 * @throws CUCKOO_MINER_ASSIGNMENT_HASH_MISMATCH when input or params are not those that were signed
 * @throws CUCKOO_MINER_ASSIGNMENT_MODEL_UNKNOWN when its manifest is not loaded
 * @throws CUCKOO_MINER_ASSIGNMENT_KIND_MISMATCH, CUCKOO_MINER_ASSIGNMENT_OVER_LIMITS, CUCKOO_MINER_ASSIGNMENT_UNSUPPORTED when the model cannot do it: the request's fault
 * @throws CUCKOO_MINER_ASSIGNMENT_UNDERPRICED, CUCKOO_MINER_ASSIGNMENT_UNDERFUNDED when it pays too little
 */
export function assertAssignment({ assignment, signature, model, content }: AssignedTask, rules: AssignmentRules): Hash {
  const digest = toAssignmentDigest(rules.domainSeparator, assignment)
  const signer = rules.verifier.recover(digest, signature)
  if (signer === null || !rules.operators.includes(signer))
    throw assignmentForeign({ signer: signer ?? 'nobody (malformed signature)', operator: rules.operators.join(' or ') })
  assertParties(assignment, rules)
  assertTimes(assignment, rules.now)
  assertHash('input hash', toInputHash(content.input), assignment.inputHash)
  assertHash('params hash', toParamsHash(content.params), assignment.paramsHash)
  const manifest = rules.findManifest(assignment.manifest)
  if (manifest === undefined) throw assignmentModelUnknown({ manifest: assignment.manifest })
  if (model !== manifest.model) throw assignmentMisdirected({ field: 'model', found: model, expected: manifest.model })
  assertPrice(assignment, content, rules.minUnitPriceWei)
  assertFits(content, manifest)
  return digest
}

function assertParties(assignment: Assignment, rules: AssignmentRules): void {
  for (const field of ['miner', 'coordinator'] as const)
    if (assignment[field] !== rules[field]) throw assignmentMisdirected({ field, found: assignment[field], expected: rules[field] })
}

function assertTimes({ issuedAt, deadline }: Assignment, now: number): void {
  const skew = issuedAt - BigInt(now)
  if (skew > BigInt(maxIssuedAtSkewSeconds) || skew < -BigInt(maxIssuedAtSkewSeconds))
    throw assignmentStale({ issuedAt, now, maximumSeconds: maxIssuedAtSkewSeconds })
  if (deadline <= BigInt(now) || deadline > issuedAt + BigInt(maxTaskSeconds)) throw assignmentDeadlineInvalid({ deadline, issuedAt, now })
}

function assertHash(field: string, found: Hash, expected: Hash): void {
  if (found !== expected) throw assignmentHashMismatch({ field, found, expected })
}

function assertPrice({ unitPriceWei, maxPriceWei }: Assignment, content: TaskContent, minUnitPriceWei: bigint): void {
  if (unitPriceWei < minUnitPriceWei) throw assignmentUnderpriced({ unitPriceWei, minUnitPriceWei })
  const neededWei = unitPriceWei * toMaxUnits(content)
  if (maxPriceWei < neededWei) throw assignmentUnderfunded({ maxPriceWei, neededWei })
}
