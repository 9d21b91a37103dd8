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
import { toCuckooError } from '../errors/internal.ts'
import { minerStopped, taskCrashed, taskPastDeadline, taskUnwanted } from '../errors/miner.ts'
import { assertAssignment } from './assertAssignment.ts'
import { waitMs } from './backoff.ts'
import type { CoordinatorLink } from './coordinatorLink.ts'
import type { CrashBook } from './crashBook.ts'
import { createTokenStream } from './createTokenStream.ts'
import type { Credit } from './credit.ts'
import { deliverResult, encodeSubmission, isCarried, putMedium } from './deliverResult.ts'
import { failTask } from './failTask.ts'
import { fetchMedia } from './fetchMedia.ts'
import { findEndedKind, findRefusedKind } from './findUnpaidKind.ts'
import { keepLease, type Lease } from './keepLease.ts'
import type { MinerTiming } from './minerTiming.ts'
import type { ModelShelf } from './modelShelf.ts'
import { type MadeOutput, runModel } from './runModel.ts'

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
  credit: Pick<Credit, 'reserve' | 'addResult' | 'addUnpaidWork'>
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
  /** verified, and run from now on */
  onStart(task: { inputTokens: number; maxUnits: bigint }): void
  /** Resolves when there is a slot for the model: not before all that it takes is there. @throws the signal's reason when it aborts first */
  takeSlot(signal: AbortSignal): Promise<void>
  /** units made so far */
  onUnits(unitsDone: number): void
  /** the model is free again; with an output, {@link onSent} follows */
  onModelFree(hasOutput: boolean): void
  /** the result is on its way */
  onSent(): void
}

/**
 * How a task ended here. `refused`: the assignment itself was at fault, and the model never ran. `answered`: a result for it was in the
 * journal already; `priceWei`: what that brought now, `error`: why it was refused for good.
 */
export type TaskEnd =
  | { state: 'done'; units: bigint; inferenceMs: number; priceWei: bigint }
  | { state: 'failed'; error: CuckooError }
  | { state: 'refused'; error: CuckooError }
  | { state: 'answered'; priceWei: bigint; error: CuckooError | null }

/** Ends that the coordinator knows of: it said so itself, or the end of the session says it. */
const knownEnds = [leaseLost, taskUnwanted, minerStopped]

/**
 * The end of one assignment: checked, run under its lease, streamed if an app reads along, signed, journaled, delivered; or, where
 * the journal has a result for it, that one delivered again. Never throws: what goes wrong is told to the coordinator, unless it knows,
 * and comes back as the error. `stop` aborts with CUCKOO_MINER_STOPPED; a result that is journaled by then stays there for the next start.
 */
export async function runTask(runner: TaskRunner, polled: PolledTask, progress: TaskProgress, stop: AbortSignal): Promise<TaskEnd> {
  let digest: Hash
  let answered: OutboxEntry | null
  try {
    digest = assertPolledTask(runner, polled)
    answered = await runner.store.findResult(digest)
    if (answered === null) assertRunnable(runner, polled)
  } catch (error) {
    const refusal = toCuckooError(error)
    await failTask(runner, polled.assignment, refusal, stop)
    return { state: 'refused', error: refusal }
  }
  if (answered !== null) return deliverAgain(runner, answered, stop)
  progress.onStart({ inputTokens: countInputTokens(polled.content), maxUnits: toMaxUnits(polled.content) })
  const settled = new AbortController()
  const ended = new AbortController()
  const signal = AbortSignal.any([stop, ended.signal])
  const end = (error: Error) => ended.abort(error)
  const held = holdTask(runner, polled, end, AbortSignal.any([stop, settled.signal]))
  let entry: OutboxEntry | null = null
  try {
    watchDeadline(runner.chainClock, polled.assignment.deadline, end, settled.signal)
    const made = await runUnderLease(runner, polled, digest, { progress, held, end, signal })
    const { output, inferenceMs, uploads } = made
    // What was made last goes out first, so that the coordinator reads it while the result is signed and journaled here.
    if (uploads.size > 0) await setImmediate()
    entry = await journalResult(runner, polled, digest, made)
    const delivered = deliverFresh(runner, entry, { held, uploads }, stop)
    void setImmediate().then(progress.onSent)
    await delivered
    return { state: 'done', units: toUnits(polled.content, output), inferenceMs, priceWei: entry.priceWei }
  } catch (caught) {
    const error = toCuckooError(entry === null && signal.aborted ? signal.reason : caught)
    if (entry === null) addLostOutput(runner, polled, held, error)
    if (entry === null && !knownEnds.some((factory) => isError(error, factory))) await failTask(runner, polled.assignment, error, stop)
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
  return assertAssignment(polled, {
    domainSeparator: runner.domainSeparator,
    verifier: runner.verifier,
    miner: runner.node,
    coordinator: runner.coordinator,
    operators: runner.getOperators(),
    findManifest: (digest) => runner.shelf.models.get(digest)?.manifest,
    minUnitPriceWei: runner.minUnitPriceWei,
    now: toNearest(assignment.issuedAt, [runner.chainClock, runner.clock]),
  })
}

function assertRunnable({ crashes, credit }: TaskRunner, { assignment }: PolledTask): void {
  const crash = crashes.find(assignment)
  if (crash !== undefined) throw taskCrashed({ taskId: crash.taskId, model: crash.model })
  credit.reserve(assignment)
}

function watchDeadline(clock: Clock, deadline: bigint, end: (error: Error) => void, signal: AbortSignal): void {
  const leftMs = Number(deadline) * 1000 - clock.nowMs()
  void waitMs(Math.max(0, leftMs), signal).then((passed) => passed && end(taskPastDeadline({ deadline })))
}

/** What a model made, with the media that are on their way to the coordinator already, by SHA-256. */
interface HandedOut extends MadeOutput {
  uploads: ReadonlyMap<Hash, Promise<unknown>>
}

/** A task while it is ours. */
interface HeldTask {
  readonly lease: Lease
  /** paid units made so far */
  unitsDone: number
  /** the coordinator has some of its output */
  isHandedOut: boolean
}

/** The task under its lease: heartbeats go on until `signal` aborts, which is after delivery. `end` gets why it is ours no more. */
function holdTask({ link, heartbeatMs }: TaskRunner, { assignment, leaseMs }: PolledTask, end: (error: Error) => void, signal: AbortSignal): HeldTask {
  const { taskId, attempt } = assignment
  const progress = { unitsDone: 0, isHandedOut: false }
  const lease = keepLease(link, { params: { taskId, attempt }, leaseMs, heartbeatMs, getUnitsDone: () => progress.unitsDone }, end, signal)
  return Object.assign(progress, { lease })
}

interface LeasedRun {
  progress: TaskProgress
  held: HeldTask
  /** ends the run with this reason */
  end(error: Error): void
  /** ends the model's run */
  signal: AbortSignal
}

async function runUnderLease(
  runner: TaskRunner,
  { assignment, content, model, stream }: PolledTask,
  assignmentDigest: Hash,
  { progress, held, end, signal }: LeasedRun,
): Promise<HandedOut> {
  const { link, timing } = runner
  const { taskId, attempt, seed } = assignment
  const params = { taskId, attempt }
  const tokens = stream && 'tokenIds' in content.input && content.kind !== 'embedding' ? createTokenStream(link, { params, ...timing }, end, signal) : null
  const onUnits = (units: number) => {
    held.unitsDone = units
    progress.onUnits(units)
  }
  const onTokens = (tokenIds: number[]) => {
    onUnits(held.unitsDone + tokenIds.length)
    tokens?.push(tokenIds)
  }
  const uploads = new Map<Hash, Promise<unknown>>()
  const onFile = ({ media, data }: MediaFile) => {
    if (isCarried({ data }) || uploads.has(media.sha256)) return
    const upload = putMedium(link, { params: { ...params, hash: media.sha256 }, body: data }, signal)
    const onHandedOut = () => {
      held.isHandedOut = true
    }
    upload.then(onHandedOut, () => undefined)
    uploads.set(media.sha256, upload)
  }
  let made: MadeOutput | undefined
  try {
    const [wanted] = listInputMedia(content)
    const media = wanted === undefined ? null : await fetchMedia(link, { ...params, media: wanted }, timing, signal)
    await progress.takeSlot(signal)
    const { coordinator, manifest, inputHash } = assignment
    const task = { assignmentDigest, ...params, coordinator, model, manifest, inputHash, content, media, seed }
    made = await runModel(runner, task, { signal, onTokens, onUnits, onFile })
    for (const file of made.files) onFile(file)
    return { ...made, uploads }
  } finally {
    progress.onModelFree(made !== undefined)
    await tokens?.close()
    if (tokens !== null && tokens.sent > 0) held.isHandedOut = true
  }
}

/**
 * The journaled result: the stored one when this assignment has been answered before, so that nothing is ever signed twice. A task
 * whose result cannot be kept has harmed nobody: its mark goes.
 */
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
  try {
    const { entry } = await runner.store.journalResult(
      { assignmentDigest: digest, taskId, attempt, coordinator, deadline, priceWei: toPrice({ assignment, result }), body },
      media,
    )
    return entry
  } catch (error) {
    await runner.crashes.end(digest).catch(() => undefined)
    throw error
  }
}

/** Delivers a result that was just made. One that is refused is work for nothing: the books say how much so. */
async function deliverFresh(
  runner: TaskRunner,
  entry: OutboxEntry,
  { held, uploads }: { held: HeldTask; uploads: HandedOut['uploads'] },
  stop: AbortSignal,
): Promise<void> {
  const { link, credit, timing } = runner
  const params = { taskId: entry.taskId, attempt: entry.attempt }
  const onRefused = async (error: CuckooError, sentAtMs: number) => {
    if (entry.priceWei === 0n) return
    const kind = await findRefusedKind(link, { params, error, sentAtMs, ...held }, AbortSignal.any([stop, AbortSignal.timeout(timing.farewellMs)]))
    if (!stop.aborted) credit.addUnpaidWork(kind, error.code)
  }
  await deliverResult(entry, { ...runner, backoff: timing.backoff }, stop, { uploads, onRefused })
}

/** Delivers a result that an assignment had before it came again. Whatever becomes of it, nothing was worked for it now. */
async function deliverAgain(runner: TaskRunner, entry: OutboxEntry, stop: AbortSignal): Promise<TaskEnd> {
  try {
    await deliverResult(entry, { ...runner, backoff: runner.timing.backoff }, stop)
    return { state: 'answered', priceWei: entry.deliveredAtMs === null ? entry.priceWei : 0n, error: null }
  } catch (error) {
    return { state: 'answered', priceWei: 0n, error: toCuckooError(error) }
  }
}

/** Writes down output that the coordinator has of a run that it ended. */
function addLostOutput({ credit }: TaskRunner, { assignment }: PolledTask, held: HeldTask, error: CuckooError): void {
  const kind = held.isHandedOut && assignment.unitPriceWei > 0n ? findEndedKind(error, held.lease) : null
  if (kind !== null) credit.addUnpaidWork(kind, error.code)
}

function countInputTokens(content: TaskContent): number {
  if (!('tokenIds' in content.input)) return 0
  return content.input.tokenIds.flat().length
}
