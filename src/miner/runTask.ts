import { setImmediate } from 'node:timers/promises'
import type { RouteOutput } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import type { Address, Hash } from '../domain/hex.ts'
import type { MediaFile } from '../domain/media.ts'
import type { Clock, SignatureVerifier, Signer } from '../domain/ports.ts'
import { toPrice, toResultDigest } from '../domain/receipt.ts'
import type { Result } from '../domain/signedStructures.ts'
import type { MinerStore, OutboxEntry } from '../domain/storePorts.ts'
import { finishReasons, listInputMedia, type TaskContent, toMaxUnits, toOutputHash, toUnits } from '../domain/task.ts'
import { leaseLost } from '../errors/api.ts'
import { type CuckooError, isError } from '../errors/cuckooError.ts'
import { modelLacksFeature } from '../errors/inference.ts'
import { toCuckooError } from '../errors/internal.ts'
import { imageTooNarrow, mediaTooLarge, mediaUnknown } from '../errors/media.ts'
import { minerStopped, taskCrashed, taskPastDeadline, taskUnwanted } from '../errors/miner.ts'
import { assertAssignment } from './assertAssignment.ts'
import { waitMs } from './backoff.ts'
import type { CoordinatorLink } from './coordinatorLink.ts'
import type { CrashBook } from './crashBook.ts'
import { createTokenStream } from './createTokenStream.ts'
import type { Credit } from './credit.ts'
import { deliverResult, encodeSubmission, putMedium } from './deliverResult.ts'
import { keepLease } from './keepLease.ts'
import type { MinerTiming } from './minerConfig.ts'
import type { ModelShelf } from './modelShelf.ts'
import { isTransient, toRetryMs } from './retry.ts'
import { fetchMedia, type MadeOutput, runModel } from './runModel.ts'

/** A task as a poll brings it. */
export type PolledTask = NonNullable<RouteOutput<Routes['pollTask']>['task']>

/** What runs tasks of one coordinator. */
export interface TaskRunner {
  link: CoordinatorLink
  store: MinerStore
  signer: Signer
  verifier: SignatureVerifier
  clock: Clock
  /** the chain's time, which assignments are dated by */
  chainClock: Clock
  credit: Pick<Credit, 'reserve' | 'addResult'>
  domainSeparator: Uint8Array
  shelf: ModelShelf
  crashes: CrashBook
  node: Address
  coordinator: Address
  /** keys that count as the coordinator's operator now */
  getOperators(): readonly Address[]
  minUnitPriceWei: bigint
  heartbeatMs: number
  timing: MinerTiming
}

/** What others see of a task while it runs. */
export interface TaskProgress {
  /** verified, and handed to the model */
  onStart(task: { inputTokens: number; maxUnits: bigint }): void
  /** units made so far */
  onUnits(unitsDone: number): void
  /** the model is free again; with an output, a result is on its way */
  onModelFree(hasOutput: boolean): void
}

/** How a task ended here. `refused`: the assignment itself was at fault, and the model never ran. */
export type TaskEnd =
  | { state: 'done'; units: bigint; inferenceMs: number; priceWei: bigint }
  | { state: 'failed'; error: CuckooError }
  | { state: 'refused'; error: CuckooError }

/** Ends that the coordinator knows of: it said so itself, or the end of the session says it. */
const knownEnds = [leaseLost, taskUnwanted, minerStopped]

/** What a run ends with that no miner can do better: the same files and the same medium end it everywhere, as every error of kind usage. */
const requestFaults = [modelLacksFeature, mediaUnknown, mediaTooLarge, imageTooNarrow]

/** Tries of telling the coordinator that a task failed; after that the lease's end tells it. */
const failTries = 3

/**
 * The end of one assignment: checked, run under its lease, streamed if an app reads along, signed, journaled, delivered. Never
 * throws: what goes wrong is told to the coordinator, unless it knows, and comes back as the error. `stop` aborts with
 * CUCKOO_MINER_STOPPED; a result that is journaled by then stays there for the next start.
 */
export async function runTask(runner: TaskRunner, polled: PolledTask, progress: TaskProgress, stop: AbortSignal): Promise<TaskEnd> {
  let digest: Hash
  try {
    digest = assertPolledTask(runner, polled)
  } catch (error) {
    const refusal = toCuckooError(error)
    await failTask(runner, polled, refusal, stop)
    return { state: 'refused', error: refusal }
  }
  progress.onStart({ inputTokens: countInputTokens(polled.content), maxUnits: toMaxUnits(polled.content) })
  const settled = new AbortController()
  const ended = new AbortController()
  const signal = AbortSignal.any([stop, ended.signal])
  let entry: OutboxEntry | null = null
  try {
    const end = (error: Error) => ended.abort(error)
    watchDeadline(runner.chainClock, polled.assignment.deadline, end, settled.signal)
    const made = await runUnderLease(runner, polled, digest, { progress, end, held: AbortSignal.any([stop, settled.signal]), signal })
    const { output, inferenceMs, uploads } = made
    // What was made last goes out first, so that the coordinator reads it while the result is signed and journaled here.
    if (uploads.size > 0) await setImmediate()
    entry = await journalResult(runner, polled, digest, made)
    await deliverResult(entry, { ...runner, backoff: runner.timing.backoff }, stop, uploads)
    return { state: 'done', units: toUnits(polled.content, output), inferenceMs, priceWei: entry.priceWei }
  } catch (caught) {
    const error = toCuckooError(entry === null && signal.aborted ? signal.reason : caught)
    if (entry === null && !knownEnds.some((factory) => isError(error, factory))) await failTask(runner, polled, error, stop)
    return { state: 'failed', error }
  } finally {
    settled.abort()
  }
}

/** The time of the clock that is nearest to `issuedAt`, unix seconds: a coordinator learns seconds later than we that a devnet's clock was moved. */
function toNearest(issuedAt: bigint, clocks: readonly [Clock, Clock]): number {
  const [chainNow, wallNow] = clocks.map((clock) => Math.floor(clock.nowMs() / 1000)) as [number, number]
  return Math.abs(Number(issuedAt) - wallNow) < Math.abs(Number(issuedAt) - chainNow) ? wallNow : chainNow
}

function assertPolledTask(runner: TaskRunner, polled: PolledTask): Hash {
  const { assignment } = polled
  const digest = assertAssignment(polled, {
    domainSeparator: runner.domainSeparator,
    verifier: runner.verifier,
    miner: runner.node,
    coordinator: runner.coordinator,
    operators: runner.getOperators(),
    findManifest: (digest) => runner.shelf.models.get(digest)?.manifest,
    minUnitPriceWei: runner.minUnitPriceWei,
    now: toNearest(assignment.issuedAt, [runner.chainClock, runner.clock]),
  })
  const crash = runner.crashes.find(assignment)
  if (crash !== undefined) throw taskCrashed({ taskId: crash.taskId, model: crash.model })
  runner.credit.reserve(assignment)
  return digest
}

function watchDeadline(clock: Clock, deadline: bigint, end: (error: Error) => void, signal: AbortSignal): void {
  const leftMs = Number(deadline) * 1000 - clock.nowMs()
  void waitMs(Math.max(0, leftMs), signal).then((passed) => passed && end(taskPastDeadline({ deadline })))
}

/** What a model made, with the media that are on their way to the coordinator already, by SHA-256. */
interface HandedOut extends MadeOutput {
  uploads: ReadonlyMap<Hash, Promise<unknown>>
}

interface LeasedRun {
  progress: TaskProgress
  /** ends the run with this reason */
  end(error: Error): void
  /** heartbeats go on until it aborts, which is after delivery */
  held: AbortSignal
  /** ends the model's run */
  signal: AbortSignal
}

async function runUnderLease(
  runner: TaskRunner,
  { assignment, content, model, stream, leaseMs }: PolledTask,
  assignmentDigest: Hash,
  { progress, end, held, signal }: LeasedRun,
): Promise<HandedOut> {
  const { link, timing, heartbeatMs } = runner
  const { taskId, attempt, seed } = assignment
  const params = { taskId, attempt }
  let unitsDone = 0
  void keepLease(link, { params, leaseMs, heartbeatMs, getUnitsDone: () => unitsDone }, end, held)
  const tokens = stream && 'tokenIds' in content.input && content.kind !== 'embedding' ? createTokenStream(link, { params, ...timing }, end, signal) : null
  const onUnits = (units: number) => {
    unitsDone = units
    progress.onUnits(units)
  }
  const onTokens = (tokenIds: number[]) => {
    onUnits(unitsDone + tokenIds.length)
    tokens?.push(tokenIds)
  }
  const uploads = new Map<Hash, Promise<unknown>>()
  const onFile = ({ media, data }: MediaFile) => {
    if (uploads.has(media.sha256)) return
    const upload = putMedium(link, { params: { ...params, hash: media.sha256 }, body: data }, signal)
    upload.catch(() => undefined)
    uploads.set(media.sha256, upload)
  }
  let made: MadeOutput | undefined
  try {
    const [wanted] = listInputMedia(content)
    const media = wanted === undefined ? null : await fetchMedia(link, { ...params, media: wanted }, timing.backoff, signal)
    const { coordinator, manifest, inputHash } = assignment
    const task = { assignmentDigest, ...params, coordinator, model, manifest, inputHash, content, media, seed }
    made = await runModel(runner, task, { signal, onTokens, onUnits, onFile })
    for (const file of made.files) onFile(file)
    return { ...made, uploads }
  } finally {
    progress.onModelFree(made !== undefined)
    await tokens?.close()
  }
}

/** The journaled result: the stored one when this assignment has been answered before, so that nothing is ever signed twice. */
async function journalResult(runner: TaskRunner, { assignment, content }: PolledTask, digest: Hash, { output, files }: MadeOutput): Promise<OutboxEntry> {
  const result: Result = {
    assignment: digest,
    outputHash: toOutputHash(output),
    units: toUnits(content, output),
    finishReason: finishReasons['finishReason' in output ? output.finishReason : 'none'],
  }
  const signature = runner.signer.sign(toResultDigest(runner.domainSeparator, result))
  const { taskId, attempt, coordinator, deadline } = assignment
  const body = encodeSubmission({ result, signature, output })
  const media = files.map(({ media, data }) => ({ sha256: media.sha256, data }))
  const { entry } = await runner.store.journalResult(
    { assignmentDigest: digest, taskId, attempt, coordinator, deadline, priceWei: toPrice({ assignment, result }), body },
    media,
  )
  return entry
}

/** Gives the task back. An internal error's text may name this machine's files, so only its code leaves. */
async function failTask({ link, timing }: TaskRunner, { assignment }: PolledTask, error: CuckooError, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timing.farewellMs)])
  const params = { taskId: assignment.taskId, attempt: assignment.attempt }
  const fatal = error.kind === 'usage' || requestFaults.some((factory) => isError(error, factory))
  const message = error.kind === 'internal' ? 'Something went wrong inside the miner.' : error.message.slice(0, 1000)
  for (let failures = 1; failures <= failTries; failures++) {
    try {
      await link.request('failTask', { params, body: { code: error.code.slice(0, 100), message, fatal } }, signal)
      return
    } catch (caught) {
      if (!isTransient(caught)) return
      await waitMs(toRetryMs(caught, failures, timing.backoff), signal)
    }
  }
}

function countInputTokens(content: TaskContent): number {
  if (!('tokenIds' in content.input)) return 0
  return content.input.tokenIds.flat().length
}
