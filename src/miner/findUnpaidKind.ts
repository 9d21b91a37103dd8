import type { Hash } from '../domain/hex.ts'
import { leaseLost } from '../errors/api.ts'
import { isError } from '../errors/cuckooError.ts'
import { taskPastDeadline, taskUnwanted } from '../errors/miner.ts'
import type { CoordinatorLink } from './coordinatorLink.ts'
import type { Lease } from './keepLease.ts'
import type { UnpaidKind } from './unpaidWork.ts'

/** What a run counts as that was ended with `error` when the coordinator had part of its output; null: that was not its doing. */
export function findEndedKind(error: unknown, lease: Lease): UnpaidKind | null {
  if (isError(error, taskUnwanted)) return 'cancelled'
  if (isError(error, taskPastDeadline)) return 'late'
  if (!isError(error, leaseLost)) return null
  return performance.now() < lease.untilMs ? 'refused' : 'late'
}

/**
 * What a result counts as that was sent at `sentAtMs` (ms of `performance.now()`) and refused with `error`. A lease that was lost in time
 * is asked for once more: where the app left after the last heartbeat, that is what the coordinator says now. Never throws.
 */
export async function findRefusedKind(
  link: CoordinatorLink,
  {
    params,
    unitsDone,
    error,
    sentAtMs,
    lease,
  }: { params: { taskId: Hash; attempt: number }; unitsDone: number; error: unknown; sentAtMs: number; lease: Lease },
  signal: AbortSignal,
): Promise<UnpaidKind> {
  if (sentAtMs >= lease.untilMs) return 'late'
  if (!isError(error, leaseLost)) return 'refused'
  try {
    const { cancel } = await link.request('renewLease', { params, body: { unitsDone } }, signal)
    return cancel ? 'cancelled' : 'refused'
  } catch {
    return 'refused'
  }
}
