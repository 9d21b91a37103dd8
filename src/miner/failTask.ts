import type { Assignment } from '../domain/signedStructures.ts'
import { type CuckooError, isError } from '../errors/cuckooError.ts'
import { contextExceeded, inferenceInputInvalid, modelKindWrong, modelLacksFeature, tokenOutOfVocabulary } from '../errors/inference.ts'
import { imageTooNarrow, mediaTooLarge, mediaUnknown } from '../errors/media.ts'
import * as miner from '../errors/miner.ts'
import { waitMs } from './backoff.ts'
import type { CoordinatorLink } from './coordinatorLink.ts'
import type { MinerTiming } from './minerTiming.ts'
import { isTransient, toRetryMs } from './retry.ts'

/**
 * What a run ends with that no miner can do better: the same files and the same input end it everywhere. Named one by one, as a kind
 * does not tell: what is wrong with the model's files on this machine can be of kind usage too.
 */
const requestFaults = [
  miner.assignmentKindMismatch,
  miner.assignmentOverLimits,
  miner.assignmentUnsupported,
  contextExceeded,
  imageTooNarrow,
  inferenceInputInvalid,
  mediaTooLarge,
  mediaUnknown,
  modelKindWrong,
  modelLacksFeature,
  tokenOutOfVocabulary,
]

/** What the coordinator itself did wrong, or agreed on: their texts say what it sent, and what this miner told it. */
const assignmentFaults = [
  miner.assignmentAnswered,
  miner.assignmentDeadlineInvalid,
  miner.assignmentForeign,
  miner.assignmentHashMismatch,
  miner.assignmentMisdirected,
  miner.assignmentModelUnknown,
  miner.assignmentStale,
  miner.assignmentUncovered,
  miner.assignmentUnderfunded,
  miner.assignmentUnderpriced,
  miner.taskCrashed,
  miner.taskMediaLate,
  miner.taskMediaMismatch,
  miner.taskPastDeadline,
]

/** Tries of telling the coordinator; after that the lease's end tells it. */
const maxTries = 3

/**
 * Gives a task back, for good where no miner can do it; never throws. The text of an error that is about this machine may name its
 * files, or be its runtime's own: only the code of such a one leaves.
 */
export async function failTask(
  { link, timing }: { link: CoordinatorLink; timing: Pick<MinerTiming, 'backoff' | 'farewellMs'> },
  { taskId, attempt }: Pick<Assignment, 'taskId' | 'attempt'>,
  error: CuckooError,
  stop: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timing.farewellMs)])
  const fatal = requestFaults.some((factory) => isError(error, factory))
  const isTold = fatal || assignmentFaults.some((factory) => isError(error, factory))
  const message = isTold ? error.message.slice(0, 1000) : `The miner could not do the task (${error.code}).`
  for (let failures = 1; failures <= maxTries; failures++) {
    try {
      await link.request('failTask', { params: { taskId, attempt }, body: { code: error.code.slice(0, 100), message, fatal } }, signal)
      return
    } catch (caught) {
      if (!isTransient(caught)) return
      await waitMs(toRetryMs(caught, failures, timing.backoff), signal)
    }
  }
}
