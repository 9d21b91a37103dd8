import type { NetworkParameters } from '../domain/chainPort.ts'
import { toDisputeSeconds } from '../domain/networkParameters.ts'
import type { OpenTaskCursor } from '../domain/storePorts.ts'
import { keepTooShort } from '../errors/coordinator.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { CoordinatorConfig, CoordinatorPorts } from './coordinatorPorts.ts'

/** How long a medium waits for a task that names it; one of a running task's output waits for its result. */
const uploadMs = 3_600_000
const everyMs = 600_000
/** One transaction takes 3 ms, or 10 ms where a medium of 25 MB goes. */
const batch = { limit: 256, limitBytes: 8 * 2 ** 20 }
/** So a store under load is swept a third of the time, at 4,000 blobs a second: what 2,000 tasks leave. */
const restRatio = 2
const minRestMs = 20

/**
 * Returns when contents stay until every dispute about them must have ended: a receipt can be challenged for `evidenceSeconds` from
 * its assignment on (Court.challenge), and the court takes up to `disputeSeconds` then.
 * @throws CUCKOO_COORDINATOR_KEEP_TOO_SHORT
 */
export function assertKeptLongEnough({ keepMs }: Pick<CoordinatorConfig, 'keepMs'>, parameters: NetworkParameters): void {
  const minimumSeconds = parameters.evidenceSeconds + toDisputeSeconds(parameters)
  if (keepMs < minimumSeconds * 1000) throw keepTooShort({ keepSeconds: Math.floor(keepMs / 1000), minimumSeconds })
}

/** Deletes what tasks asked and answered once it has been kept for long enough, and media that no task named: a little at a time. */
export class ContentSweep {
  readonly #ports: Pick<CoordinatorPorts, 'store' | 'clock' | 'config' | 'metrics' | 'logger'>
  #running: Promise<void> | null = null
  #nextMs = 0
  #closed = false

  constructor(ports: Pick<CoordinatorPorts, 'store' | 'clock' | 'config' | 'metrics' | 'logger'>) {
    this.#ports = ports
  }

  /** Sweeps if it is time to. Never throws: what fails is tried again at the next time. */
  update(): Promise<void> {
    const nowMs = this.#ports.clock.nowMs()
    if (this.#running !== null) return this.#running
    if (this.#closed || nowMs < this.#nextMs) return Promise.resolve()
    this.#nextMs = nowMs + everyMs
    this.#running = this.#sweep(nowMs)
      .catch((error: unknown) => this.#ports.logger.warn({ err: toCuckooError(error) }, 'old contents could not be deleted; they are looked at again later'))
      .finally(() => {
        this.#running = null
      })
    return this.#running
  }

  /** Ends after the transaction under way. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #sweep(nowMs: number): Promise<void> {
    const { store, config } = this.#ports
    await this.#delete('upload', nowMs - Math.max(uploadMs, config.maxTaskMs))
    const endedBeforeMs = nowMs - config.keepMs
    if (endedBeforeMs <= 0) return
    await store.raiseContentHorizon(endedBeforeMs)
    let after: OpenTaskCursor | null = null
    do {
      if (this.#closed) return
      after = await this.#rest(store.nameOpenTasks({ createdBeforeMs: endedBeforeMs, atMs: nowMs, after, limit: batch.limit }))
    } while (after !== null)
    await this.#delete('task', endedBeforeMs)
  }

  async #delete(by: 'upload' | 'task', neededBeforeMs: number): Promise<void> {
    const { store, metrics, logger } = this.#ports
    const total = { blobs: 0, bytes: 0 }
    for (let isMore = true; isMore && !this.#closed; ) {
      const { blobs, bytes } = await this.#rest(store.deleteBlobs({ by, neededBeforeMs, ...batch }))
      total.blobs += blobs
      total.bytes += bytes
      metrics.blobsDeleted.inc({ of: by }, blobs)
      metrics.blobBytesDeleted.inc({ of: by }, bytes)
      isMore = blobs > 0
    }
    if (total.blobs > 0) logger.info({ of: by, ...total }, 'old contents were deleted')
  }

  /** What `work` gives, and a pause that leaves disk and event loop to others. */
  async #rest<T>(work: Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const value = await work
    const restMs = Math.max(minRestMs, restRatio * (performance.now() - startedAt))
    if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, restMs))
    return value
  }
}
