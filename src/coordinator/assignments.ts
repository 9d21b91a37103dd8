import { zAssignment, zSignature } from '../api/wire.ts'
import { toCanonicalJson } from '../domain/canonical.ts'
import type { Address, Hash } from '../domain/hex.ts'
import { toAssignmentDigest } from '../domain/receipt.ts'
import type { Assignment } from '../domain/signedStructures.ts'
import type { TaskRecord } from '../domain/storePorts.ts'
import type { CoordinatorConfig, CoordinatorPorts } from './coordinatorPorts.ts'
import type { SignedAssignment } from './taskBoard.ts'

const maxDeadlineSeconds = 86_400n

/** The assignment of one attempt, signed by this coordinator's operator. It leaves only after it is in the journal. */
export function createAssignment(input: {
  ports: CoordinatorPorts
  record: TaskRecord
  attempt: number
  miner: Address
  drawRef: Hash
  nowMs: number
}): SignedAssignment {
  const { ports, record, attempt, miner, drawRef, nowMs } = input
  const issuedAt = BigInt(Math.floor(nowMs / 1000))
  const taskSeconds = BigInt(Math.ceil(ports.config.maxTaskMs / 1000))
  const assignment: Assignment = {
    taskId: record.id,
    attempt,
    coordinator: ports.node,
    miner,
    manifest: record.manifest,
    inputHash: record.inputHash,
    paramsHash: record.paramsHash,
    seed: record.seed,
    unitPriceWei: record.unitPriceWei,
    maxPriceWei: record.maxPriceWei,
    issuedAt,
    deadline: issuedAt + (taskSeconds < maxDeadlineSeconds ? taskSeconds : maxDeadlineSeconds),
    drawRef,
  }
  const digest = toAssignmentDigest(ports.chain.domainSeparator, assignment)
  return { assignment, digest, signature: ports.signer.sign(digest) }
}

/**
 * Lease in ms: twice the time that the task's most expensive outcome takes at the miner's measured speed, at least three
 * heartbeats (so that one lost heartbeat costs nothing) and at most `leaseMs`. A miner of unknown speed gets `leaseMs`.
 * @example toLeaseMs({ config: { leaseMs: 20_000, heartbeatMs: 2_000 }, record: { maxPriceWei: 100n, unitPriceWei: 1n }, unitsPerSecond: 20 }) // 10_000
 */
export function toLeaseMs(input: {
  config: Pick<CoordinatorConfig, 'leaseMs' | 'heartbeatMs'>
  record: Pick<TaskRecord, 'maxPriceWei' | 'unitPriceWei'>
  unitsPerSecond: number
}): number {
  const { config, record, unitsPerSecond } = input
  if (unitsPerSecond === 0 || record.unitPriceWei === 0n) return config.leaseMs
  const expectedMs = (Number(record.maxPriceWei / record.unitPriceWei) / unitsPerSecond) * 1000
  return Math.round(Math.min(config.leaseMs, Math.max(3 * config.heartbeatMs, 2 * expectedMs)))
}

/** A signed assignment as the journal keeps it: canonical JSON of its wire form. */
export function encodeSignedAssignment(signed: SignedAssignment): Uint8Array {
  return Buffer.from(toCanonicalJson({ assignment: zAssignment.encode(signed.assignment), signature: signed.signature }))
}

/** The signed assignment that the journal keeps. */
export function decodeSignedAssignment(domainSeparator: Uint8Array, bytes: Uint8Array): SignedAssignment {
  const { assignment, signature } = JSON.parse(Buffer.from(bytes).toString()) as { assignment: unknown; signature: unknown }
  const decoded: Assignment = zAssignment.parse(assignment)
  return { assignment: decoded, digest: toAssignmentDigest(domainSeparator, decoded), signature: zSignature.parse(signature) }
}
