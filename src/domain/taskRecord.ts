import type { NewTask, TaskRecord } from './storePorts.ts'
import type { AttemptFailure } from './task.ts'

/** The failures of a task that has none: one array for all of them. */
export const noFailures: AttemptFailure[] = []

/** The record that a new task begins with: queued, no attempt made. */
export function toNewRecord({ blobs: _, ...task }: NewTask): TaskRecord {
  return {
    ...task,
    state: 'queued',
    attempt: 0,
    miner: null,
    leaseUntilMs: null,
    failures: noFailures,
    outputHash: null,
    receipt: null,
    finishedAtMs: null,
  }
}
