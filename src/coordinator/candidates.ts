import type { Address } from '../domain/hex.ts'
import { type AttemptFailure, maxFailedMiners } from '../domain/task.ts'
import { minerGone, minerLeft } from '../errors/coordinator.ts'
import { assignmentUncovered, assignmentUnderpriced } from '../errors/miner.ts'

/** A task is tried at most so often by one miner, even when no other offers its model. */
const maxAttemptsPerMiner = 2
/** A task is tried at most so often at all, leavings included, so that nobody keeps one going round for ever. */
export const maxAttempts = 16

/** Failures that say nothing about the miner's work: it left in order, its connection was gone before the task reached it, it asks for more, or its line does not cover the task. */
const blamelessCodes: readonly string[] = [minerLeft.code, minerGone.code, assignmentUnderpriced.code, assignmentUncovered.code]

/** How often each miner has failed, leavings not counted. */
function countFailures(failures: readonly AttemptFailure[]): Map<Address, number> {
  const counts = new Map<Address, number>()
  for (const { miner, code } of failures) if (!blamelessCodes.includes(code)) counts.set(miner, (counts.get(miner) ?? 0) + 1)
  return counts
}

/** The miner gave the task back for its price, which stays what it is. */
function isTooCheap(miner: Address, failures: readonly AttemptFailure[]): boolean {
  return failures.some((failure) => failure.miner === miner && failure.code === assignmentUnderpriced.code)
}

/**
 * Whether `miner` may be drawn for a task with these failures. A miner that failed it is passed over while another one offers
 * the model; when all that offer it have failed it, each is tried once more: never bench everyone. One that gave it back for its
 * price is not asked again.
 */
export function mayTry(miner: Address, failures: readonly AttemptFailure[], offering: Iterable<Address>): boolean {
  if (failures.length === 0) return true
  if (isTooCheap(miner, failures)) return false
  const counts = countFailures(failures)
  const own = counts.get(miner) ?? 0
  if (own === 0) return true
  if (own >= maxAttemptsPerMiner) return false
  for (const other of offering) if (!counts.has(other)) return false
  return true
}

/**
 * What a task with these failures becomes: `dead` after failures by three distinct miners, after {@link maxAttempts} in all, or
 * when every miner that offers its model has used up its tries; else it is queued again. With no miner there at all it waits.
 */
export function toNextState(failures: readonly AttemptFailure[], offering: readonly Address[]): 'queued' | 'dead' {
  const counts = countFailures(failures)
  if (counts.size >= maxFailedMiners || failures.length >= maxAttempts) return 'dead'
  const isUsedUp = offering.length > 0 && offering.every((miner) => (counts.get(miner) ?? 0) >= maxAttemptsPerMiner || isTooCheap(miner, failures))
  return isUsedUp ? 'dead' : 'queued'
}
