import type { Hash } from '../domain/hex.ts'
import { leaseLost } from '../errors/api.ts'
import { isError } from '../errors/cuckooError.ts'
import { taskUnwanted } from '../errors/miner.ts'
import { waitMs } from './backoff.ts'
import type { CoordinatorLink } from './coordinatorLink.ts'

/** How long a task is ours, by our own clock. */
export interface Lease {
  /** ms of `performance.now()` up to which the coordinator has said so; each answer counts from when it was asked for */
  readonly untilMs: number
}

interface LeasedTask {
  params: { taskId: Hash; attempt: number }
  leaseMs: number
  heartbeatMs: number
  getUnitsDone(): number
}

/**
 * The lease of a task that has just been assigned, renewed every third of it, or every `heartbeatMs` if that is sooner, until `signal`
 * aborts. A heartbeat that finds nobody is tried again soon; only the coordinator's word ends the task: `onEnd` gets
 * CUCKOO_TASK_LEASE_LOST or CUCKOO_MINER_TASK_UNWANTED, once.
 */
export function keepLease(link: CoordinatorLink, task: LeasedTask, onEnd: (error: Error) => void, signal: AbortSignal): Lease {
  const lease = { untilMs: performance.now() + task.leaseMs }
  void renewLease(lease, link, task, onEnd, signal)
  return lease
}

async function renewLease(
  lease: { untilMs: number },
  link: CoordinatorLink,
  task: LeasedTask,
  onEnd: (error: Error) => void,
  signal: AbortSignal,
): Promise<void> {
  let { leaseMs } = task
  const toIntervalMs = () => Math.max(10, Math.min(leaseMs / 3, task.heartbeatMs))
  let pauseMs = toIntervalMs()
  while (await waitMs(pauseMs, signal)) {
    try {
      const askedAtMs = performance.now()
      const answer = await link.request('renewLease', { params: task.params, body: { unitsDone: task.getUnitsDone() } }, signal)
      if (answer.cancel) return onEnd(taskUnwanted({}))
      leaseMs = answer.leaseMs
      lease.untilMs = Math.max(lease.untilMs, askedAtMs + leaseMs)
      pauseMs = toIntervalMs()
    } catch (error) {
      if (signal.aborted) return
      if (isError(error, leaseLost)) return onEnd(error)
      pauseMs = toIntervalMs() / 3
    }
  }
}
