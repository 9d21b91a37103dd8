import type { DeviceName, DownloadProgress } from '../domain/enginePort.ts'
import type { Address, Hash } from '../domain/hex.ts'
import type { ModelKind, TaskKind } from '../domain/taskKinds.ts'
import type { CuckooError } from '../errors/cuckooError.ts'

/** A coordinator as events name it; `node` is null while a named URL has not said which node it is. */
export interface CoordinatorName {
  url: string
  node: Address | null
}

/** One attempt at one task. */
export interface AttemptName {
  taskId: Hash
  attempt: number
  model: string
  kind: TaskKind
}

/** `memory`: another model needed its place; `outOfMemory`: the device had none left; `workerEnded`: it has to be opened again. */
export type UnloadReason = 'memory' | 'outOfMemory' | 'workerEnded' | 'paused'

/** What happens in a running miner, in the order it happens. Times are durations in ms, money is wei. */
export type MinerEvent =
  | { type: 'modelDownloading'; model: string; progress: DownloadProgress }
  | {
      type: 'modelLoaded'
      model: string
      manifest: Hash
      kind: ModelKind
      dtype: string
      device: DeviceName
      deviceReason: string
      unitsPerSecond: number
      loadMs: number
    }
  /** out of the memory: `memory`: for another model; the next task of it loads it again */
  | { type: 'modelUnloaded'; model: string; manifest: Hash; device: string; reason: UnloadReason }
  /** no tasks are taken for it: `reason` (for the operator: it may name files of this machine) is what went wrong; opened again at `retryAtMs`, unix ms, null: not before a restart */
  | { type: 'modelWithheld'; model: string; manifest: Hash; error: CuckooError; reason: string; retryAtMs: number | null }
  | { type: 'modelOffered'; model: string; manifest: Hash }
  /** no coordinator is on chain, or named, that this miner could work for */
  | { type: 'coordinatorsMissing' }
  | { type: 'coordinatorAdded'; coordinator: CoordinatorName }
  | { type: 'coordinatorRemoved'; coordinator: CoordinatorName }
  | { type: 'sessionOpened'; coordinator: CoordinatorName; sessionId: Hash; slots: number; refused: { model: string; code: string; message: string }[] }
  /** no session yet: the next try comes in `retryMs` */
  | { type: 'sessionFailed'; coordinator: CoordinatorName; error: CuckooError; retryMs: number }
  /** the session stands, but the coordinator did not answer a poll well */
  | { type: 'pollFailed'; coordinator: CoordinatorName; error: CuckooError; retryMs: number }
  | { type: 'sessionLost'; coordinator: CoordinatorName; error: CuckooError }
  | { type: 'sessionClosed'; coordinator: CoordinatorName }
  /** why the last poll brought nothing; sent when the reasons change */
  | { type: 'waiting'; coordinator: CoordinatorName; reasons: string[] }
  /** no more work for it until it pays or raises its line, or for a while because it refused what it got; `reasons`: in the coordinator's words */
  | { type: 'paused'; coordinator: CoordinatorName; reason: 'unpaid' | 'line' | 'refused'; text: string; reasons: string[] }
  | { type: 'resumed'; coordinator: CoordinatorName }
  | { type: 'voucherRefused'; coordinator: CoordinatorName; error: CuckooError }
  | { type: 'redeemed'; coordinator: CoordinatorName; amountWei: bigint; hash: Hash | null }
  | { type: 'redeemFailed'; coordinator: CoordinatorName; error: CuckooError; retryMs: number }
  | { type: 'taskStarted'; coordinator: CoordinatorName; task: AttemptName; inputTokens: number; maxUnits: bigint; stream: boolean }
  | { type: 'taskDone'; coordinator: CoordinatorName; task: AttemptName; units: bigint; inferenceMs: number; totalMs: number; priceWei: bigint }
  /** given back or dropped: nothing is paid for it */
  | { type: 'taskFailed'; coordinator: CoordinatorName; task: AttemptName; error: CuckooError }
  /** the process, or the model's worker, ended while it ran, now or before the last start: it is not run here again for a day */
  | { type: 'taskCrashed'; node: Address; taskId: Hash; attempt: number; model: string }
  /** a result that was signed before, in an earlier run or for the same assignment: accepted now, or refused for good (then `error` says why) */
  | { type: 'resultSettled'; coordinator: CoordinatorName; taskId: Hash; attempt: number; error: CuckooError | null }
  /** this node holds seats of a jury, and has to commit or reveal its vote until then (unix seconds): `cuckoo jury status <case>` */
  | { type: 'juryDuty'; caseId: bigint; round: number; duty: 'commit' | 'reveal'; seats: number; until: number }
  /** the miner takes no more tasks until it is resumed */
  | { type: 'minerPaused'; reason: string; tasks: number }
  | { type: 'minerResumed' }
  | { type: 'draining'; graceMs: number; tasks: number }
  | { type: 'stopped' }

export type MinerEventListener = (event: MinerEvent) => void

/** Sends events to everyone who listens. A listener that throws harms nobody else: its error goes to `onListenerError`. */
export interface MinerEvents {
  emit(event: MinerEvent): void
  /** returns what ends the subscription */
  subscribe(listener: MinerEventListener): () => void
}

/** Where a miner's events pass through, with no listener yet. */
export function createMinerEvents(onListenerError: (error: unknown) => void): MinerEvents {
  const listeners = new Set<MinerEventListener>()
  return {
    emit(event) {
      for (const listener of listeners) {
        try {
          listener(event)
        } catch (error) {
          onListenerError(error)
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
