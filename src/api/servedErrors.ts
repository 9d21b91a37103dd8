import * as errors from '../errors/api.ts'

/** What every route that waits for a miner's answer can say. */
export const served = [
  errors.modelUnknown,
  errors.modelKindMismatch,
  errors.parameterUnsupported,
  errors.noMinerAvailable,
  errors.promptTooLong,
  errors.queueFull,
  errors.draining,
  errors.taskDead,
  errors.taskFailed,
  errors.taskTimedOut,
  errors.idempotencyConflict,
  errors.contentDeleted,
]
