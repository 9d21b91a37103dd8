import type { Address, Hash } from './hex.ts'
import type { Manifest } from './manifest.ts'
import type { SignedVoucher } from './payments.ts'
import type { Receipt } from './receipt.ts'
import type { AttemptFailure, TaskContent, TaskState } from './task.ts'

// ---- the coordinator's store ----

export interface AppRecord {
  id: string
  name: string
  /** SHA-256 of the key; the key itself is shown once and never kept */
  keyHash: Hash
  /** first characters of the key, for people to tell keys apart */
  keyPrefix: string
  /** unix ms */
  createdAt: number
  /** unix ms */
  revokedAt: number | null
}

export interface TaskRecord {
  id: Hash
  appId: string
  idempotencyKey: string | null
  /** hash of the request that came with the idempotency key: the same key with another request is refused */
  requestHash: Hash
  model: string
  manifest: Hash
  kind: TaskContent['kind']
  inputHash: Hash
  paramsHash: Hash
  seed: bigint
  taskKey: Hash
  /** the only miner that may run it, for testing one's own; null: drawn among all */
  targetMiner: Address | null
  unitPriceWei: bigint
  maxPriceWei: bigint
  state: TaskState
  /** attempts started so far; the running attempt's number while assigned or running */
  attempt: number
  /** the miner (node) that holds the lease or finished the task */
  miner: Address | null
  /** unix ms until which the lease holds; null when nobody holds it */
  leaseUntilMs: number | null
  failures: AttemptFailure[]
  outputHash: Hash | null
  receipt: Receipt | null
  /** unix ms */
  createdAtMs: number
  finishedAtMs: number | null
}

export interface NewTask extends Omit<TaskRecord, 'state' | 'attempt' | 'miner' | 'leaseUntilMs' | 'failures' | 'outputHash' | 'receipt' | 'finishedAtMs'> {
  /** canonical JSON of input and params, with their SHA-256 that they are kept under, and media that came with the request */
  blobs: NewBlob[]
}

/** Bytes to keep with a task. `quotaBytes` counts them against what the task's app may keep. */
export interface NewBlob {
  hash: Hash
  bytes: Uint8Array
  quotaBytes?: number
}

/** Room for a coordinator's store. */
export interface StoreSpace {
  /** taken by rows and blobs */
  usedBytes: number
  /** of apps' media among them */
  mediaBytes: number
  /** left for more: what deleted rows gave back, and the disk under it */
  freeBytes: number
}

/** An open task that {@link CoordinatorStore.nameOpenTasks} came to: where it goes on. */
export interface OpenTaskCursor {
  createdAtMs: number
  row: number
}

/** Compare-and-set on (task, attempt, state): null means that somebody was faster, with nothing changed. */
export type Swap<T> = Promise<T | null>

/** API keys. A command in another process writes them while the coordinator serves, which sees each change at its next look. */
export interface AppStore {
  createApp(app: AppRecord): Promise<void>
  findAppByKeyHash(keyHash: Hash): Promise<AppRecord | null>
  listApps(): Promise<AppRecord[]>
  /** null: no such app */
  revokeApp(id: string, atMs: number): Swap<AppRecord>
  close(): Promise<void>
}

/**
 * What the coordinator must not forget. Every promise resolves after its transaction is on disk (group commit): what is
 * acknowledged is durable. One process owns a store at a time.
 */
export interface CoordinatorStore extends AppStore {
  /** starts at 1 and rises by one each time the store is opened by a coordinator: part of task ids */
  readonly incarnation: number

  /**
   * Creates the task, or finds the one that the same app made with the same idempotency key (`created: false`).
   * @throws CUCKOO_API_MEDIA_ABSENT when its medium was deleted meanwhile, CUCKOO_API_MEDIA_QUOTA_EXCEEDED
   */
  createTask(task: NewTask): Promise<{ task: TaskRecord; created: boolean }>
  getTask(id: Hash): Promise<TaskRecord | null>
  findTaskByIdempotencyKey(appId: string, idempotencyKey: string): Promise<TaskRecord | null>
  listOpenTasks(): Promise<TaskRecord[]>
  listTasks(filter: { appId?: string; state?: TaskState; limit: number }): Promise<TaskRecord[]>

  /** queued → assigned as `attempt` = previous + 1. Journals the signed assignment in the same transaction, before it is sent. */
  assignTask(input: {
    id: Hash
    attempt: number
    miner: Address
    leaseUntilMs: number
    assignmentDigest: Hash
    signedAssignment: Uint8Array
    draw: DrawRecord
  }): Swap<TaskRecord>
  /** assigned | running → running with a later lease. */
  renewLease(input: { id: Hash; attempt: number; leaseUntilMs: number }): Swap<TaskRecord>
  /** assigned | running → done. Stores output blob, receipt and `media` that the output names in the same transaction. */
  completeTask(input: {
    id: Hash
    attempt: number
    outputHash: Hash
    output: Uint8Array
    media?: readonly NewBlob[]
    receipt: Receipt
    finishedAtMs: number
  }): Swap<TaskRecord>
  /** assigned | running → queued, failed or dead, with the reason kept. */
  endAttempt(input: { id: Hash; attempt: number; next: 'queued' | 'failed' | 'dead'; failure: AttemptFailure; atMs: number }): Swap<TaskRecord>
  /** any open state → cancelled. */
  cancelTask(input: { id: Hash; atMs: number }): Swap<TaskRecord>

  /** the bytes journalled by {@link assignTask} for this attempt */
  getSignedAssignment(taskId: Hash, attempt: number): Promise<Uint8Array | null>

  /** Keeps a model's file for ever. */
  putBlob(bytes: Uint8Array): Promise<Hash>
  /**
   * Keeps a medium that no task names yet, counted against what `app` may keep, if one brought it. `hash` where the caller has
   * computed it already. A medium that no app brought outlives the process at once, and a loss of power from the next write on:
   * the result that names it is one.
   * @throws CUCKOO_API_MEDIA_QUOTA_EXCEEDED
   */
  putMedia(bytes: Uint8Array, naming: { atMs: number; app: { id: string; quotaBytes: number } | null; hash?: Hash }): Promise<Hash>
  /** Returns when `blobs` would be within what the app may keep. @throws CUCKOO_API_MEDIA_QUOTA_EXCEEDED */
  assertWithinQuota(appId: string, blobs: readonly NewBlob[]): Promise<void>
  getBlob(hash: Hash): Promise<Uint8Array | null>

  getSpace(): Promise<StoreSpace>
  /** unix ms: contents of tasks that ended before may be deleted; 0: none were yet */
  getContentHorizon(): Promise<number>
  /** Moves it; it never goes back. */
  raiseContentHorizon(endedBeforeMs: number): Promise<void>
  /** Says that the contents of up to `limit` open tasks made before `createdBeforeMs` are needed at `atMs`. Null: there are no more. */
  nameOpenTasks(input: { createdBeforeMs: number; atMs: number; after: OpenTaskCursor | null; limit: number }): Promise<OpenTaskCursor | null>
  /**
   * Deletes up to `limit` blobs, and none after `limitBytes`, that were last needed before `neededBeforeMs` (by some minutes more:
   * not each use is written down): by a task, or by nobody but who uploaded them. Blobs of models stay.
   */
  deleteBlobs(input: { by: 'upload' | 'task'; neededBeforeMs: number; limit: number; limitBytes: number }): Promise<{ blobs: number; bytes: number }>

  /** The files that it names are kept for ever from then on. */
  putManifest(manifest: Manifest, digest: Hash, unixMs: number): Promise<void>
  listManifests(): Promise<{ digest: Hash; manifest: Manifest; firstSeenAtMs: number }[]>

  /** Chain of the draw log so far: its head (zero hash when empty) and the number of entries. */
  getDrawLog(): Promise<{ head: Hash; index: bigint }>
  /** Keeps the epoch's secret if the epoch has none yet, and returns the one it has: a restart draws on with the same secret. */
  openDrawEpoch(epoch: DrawEpoch): Promise<DrawEpoch>

  countTasksByState(): Promise<Record<TaskState, number>>

  /** wei owed to each miner over all time: the prices of the results it was acknowledged for, added in {@link completeTask}'s transaction */
  getOwed(miner: Address): Promise<bigint>
  /** makes it at least so much: what a voucher of this coordinator says that a store from a backup has forgotten */
  raiseOwed(miner: Address, atLeastWei: bigint): Promise<void>
  /** secrets of epochs whose reveal is not known to be on chain, oldest first */
  listUnrevealedEpochs(): Promise<DrawEpoch[]>
  markEpochRevealed(epoch: number): Promise<void>
}

/** One draw epoch: the secret that points come from, and its commitment on chain (EpochReader.toEpochCommitment), shown before the secret is. */
export interface DrawEpoch {
  /** number of the epoch: unix seconds / the deployment's drawSeconds */
  epoch: number
  secret: Hash
  commitment: Hash
}

/** One entry of the append-only draw log; `head` = keccak256(previous head ‖ canonical JSON of the entry without head). */
export interface DrawRecord {
  index: bigint
  taskId: Hash
  attempt: number
  miner: Address
  commitment: Hash
  /** which of the values k = 0…63 landed; 64: none did, and the draw was among those waiting */
  k: number
  /** weights of those waiting, in wei, and the number of them */
  totalWeightWei: bigint
  waiting: number
  atMs: number
  head: Hash
}

// ---- the miner's store ----

/** A signed result that may still have to be delivered. The same bytes are sent again, never others. */
export interface OutboxEntry {
  assignmentDigest: Hash
  taskId: Hash
  attempt: number
  coordinator: Address
  /** agreed price in wei: what is owed once it is accepted, whatever the coordinator answers */
  priceWei: bigint
  /** canonical JSON of the submission, as it goes on the wire */
  body: Uint8Array
  deliveredAtMs: number | null
}

export interface NewOutboxEntry extends Omit<OutboxEntry, 'deliveredAtMs'> {
  /** of the assignment, in unix seconds */
  deadline: bigint
}

/** A step of {@link MinerStore.sweepResults}. */
export interface ResultSweep {
  /** unix seconds, never ahead of the chain: a row that goes early could let a second signature count */
  now: number
  /** bodies go so long after the assignment's deadline */
  bodySeconds: number
  /** rows, with the signature, go so long after it */
  rowSeconds: number
  /** results that one step takes at most */
  limit: number
  /** none is taken after so many bytes */
  limitBytes: number
}

/** Bytes that a signed result names, handed in before it. */
export interface OutboxMedium {
  sha256: Hash
  data: Uint8Array
}

/** A task that a model has been given and that has not ended yet. One that is found at the start ended the process. */
export interface StartedTask {
  assignmentDigest: Hash
  taskId: Hash
  attempt: number
  coordinator: Address
  model: string
  manifest: Hash
  inputHash: Hash
}

export interface CrashedTask extends StartedTask {
  crashedAtMs: number
  /** the coordinator was told, or knew */
  reported: boolean
}

/** What a miner did for one coordinator, and what it holds for it. */
export interface CoordinatorPayments {
  coordinator: Address
  /** prices of accepted results over all time */
  owedWei: bigint
  /** results accepted over all time */
  results: number
  /** how many of the newest results with a price the newest voucher does not cover, in full or in part */
  unpaidResults: number
  /** the newest voucher; null: none yet */
  voucher: SignedVoucher | null
  /** how it pays, 0 to 1: the miner's own reckoning, 1 where nothing is known */
  paymentRecord: number
}

export interface MinerStore {
  /**
   * Journals what was signed, with the media it names, before it leaves, and ends the mark of {@link markStarted}. A second,
   * different body for one assignment is refused: the stored one comes back with `created: false`, and its media stay.
   * It outlives this process. A loss of power before the next write leaves the mark in its place, which was flushed while the model
   * computed: the task counts as crashed then, and nothing is signed for it again. Without a mark the result is flushed itself.
   * @throws CUCKOO_MINER_ASSIGNMENT_ANSWERED when the stored one has no body any more, or may have been forgotten altogether
   */
  journalResult(entry: NewOutboxEntry, media?: readonly OutboxMedium[]): Promise<{ entry: OutboxEntry; created: boolean }>
  /**
   * What {@link journalResult} stored for the assignment; null: nothing.
   * @throws CUCKOO_MINER_ASSIGNMENT_ANSWERED when it was delivered long ago and its body is gone
   */
  findResult(assignmentDigest: Hash): Promise<OutboxEntry | null>
  /** the media of a result that is not delivered yet */
  listOutboxMedia(assignmentDigest: Hash): Promise<OutboxMedium[]>
  /** deletes its media */
  markDelivered(assignmentDigest: Hash, atMs: number): Promise<void>
  listUndelivered(coordinator: Address): Promise<OutboxEntry[]>
  /** of the results that are not forgotten */
  countResults(): Promise<{ signed: number; delivered: number }>
  /**
   * Makes room, the oldest first, for other results: the file does not shrink. The body of a delivered result goes first, and then its row; an
   * undelivered one stays whole. Resolves with the results that this step took and their bytes; none: there is nothing to do now.
   */
  sweepResults(step: ResultSweep): Promise<{ results: number; bytes: number }>
  /** adds the price of an accepted result to what `coordinator` owes, once per assignment */
  addOwed(input: { coordinator: Address; assignmentDigest: Hash; priceWei: bigint }): Promise<void>
  /**
   * Begins the books with `coordinator`, if there are none yet, before any work for it: what its voucher says is what it owes so far.
   * A miner that lost its store would count old vouchers as cover for new work otherwise.
   */
  openAccount(input: { coordinator: Address; voucher: SignedVoucher | null }): Promise<void>
  /**
   * Keeps the newest voucher: one that is lower than the one kept, or as high and not newer, changes nothing. A newer one as high
   * carries the signature of a key that has replaced another, whose signatures stop counting.
   */
  keepVoucher(voucher: SignedVoucher): Promise<void>
  listPayments(): Promise<CoordinatorPayments[]>
  /** keeps {@link CoordinatorPayments.paymentRecord} of a coordinator with books */
  keepPaymentRecord(coordinator: Address, paymentRecord: number): Promise<void>
  /** Writes down that a model is given a task, before it is: the mark outlives this process at once, and a loss of power soon after. */
  markStarted(task: StartedTask): Promise<void>
  /** The task, or all that there are, have ended without a result and without harm. */
  clearStarted(assignmentDigest?: Hash): Promise<void>
  /** Turns a mark, or all that there are, into crashes at `atMs`. */
  markCrashed(atMs: number, assignmentDigest?: Hash): Promise<void>
  markCrashReported(assignmentDigest: Hash): Promise<void>
  /** the newest first, at most 1,000; those before `sinceMs` are deleted */
  takeCrashes(sinceMs: number): Promise<CrashedTask[]>
  close(): Promise<void>
}
