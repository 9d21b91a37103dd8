import * as api from '../errors/api.ts'
import { CuckooError, errorKinds, isError } from '../errors/cuckooError.ts'
import { type BackoffPolicy, toBackoffMs } from './backoff.ts'

/** Answers that a later try can change, though their kind is not retried in general. */
const transientCodes = [api.sessionInvalid, api.sessionReplayed, api.clockSkewed, api.responseInvalid]

/** True when the same request may succeed later: nobody answered, the coordinator is busy or broken, or the session ended. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof CuckooError)) return false
  return errorKinds[error.kind].retry || error.httpStatus >= 500 || transientCodes.some((factory) => isError(error, factory))
}

/** Milliseconds until the next try after `failures` in a row: full jitter, but never before what the coordinator asked for in Retry-After. */
export function toRetryMs(error: unknown, failures: number, policy: BackoffPolicy): number {
  const after = error instanceof CuckooError ? error.facts['retryAfterSeconds'] : undefined
  return Math.max(toBackoffMs(policy, failures), typeof after === 'number' ? after * 1000 : 0)
}
