import {
  type DeviceName,
  type DownloadProgress,
  deviceNames,
  type Engine,
  type ModelSource,
  type OpenModel,
  type OpenModelRequest,
  type RunWatch,
} from '../domain/enginePort.ts'
import type { Hash } from '../domain/hex.ts'
import type { Dtype, Manifest } from '../domain/manifest.ts'
import type { ModelKind } from '../domain/taskKinds.ts'
import { type CuckooError, isError } from '../errors/cuckooError.ts'
import { inferenceDisposed, inferenceOutOfMemory, inferenceStuck, inferenceWorkerEnded } from '../errors/inference.ts'
import { toCuckooError } from '../errors/internal.ts'
import { assignmentModelUnknown, minerMemoryStuck, minerModelOverBudget, minerModelTwice, minerModelUnusable, minerStopped } from '../errors/miner.ts'
import { waitMs } from './backoff.ts'
import { createGate, type Gate } from './gate.ts'
import type { UnloadReason } from './minerEvents.ts'
import type { DeviceState, ModelState } from './minerState.ts'
import { ModelOffers, type ModelOffersOptions } from './modelOffers.ts'
import { ModelOpening } from './modelOpening.ts'
import { createWakeList } from './wakeList.ts'

/** A model to offer. */
export interface OfferedModel {
  /** `owner/model` */
  model: string
  source: ModelSource
  dtype: Dtype
  /** where the files do not tell what the model does */
  kind?: ModelKind
  device: DeviceName | 'auto'
}

/** What is known of an offered model, loaded or not. */
export interface ShelvedModel {
  readonly manifest: Manifest
  readonly manifestDigest: Hash
  readonly device: DeviceName
  readonly deviceReason: string
  readonly memoryBytes: number
  /** paid units per second of the warm-up; 0: unknown */
  readonly unitsPerSecond: number
}

export interface ModelShelfOptions extends Pick<ModelOffersOptions<ShelvedModel>, 'onWithheld' | 'onOffered' | 'retryMs'> {
  engine: Engine
  /** null: no limit */
  memoryBytes: number | null
  slotsByDevice: Partial<Record<DeviceName, number>>
  /** model names */
  pinned: readonly string[]
  /** a model that was unloaded is there again */
  onReloaded?: (model: ShelvedModel, loadMs: number) => void
  /** its memory is free */
  onUnloaded?: (model: ShelvedModel, reason: UnloadReason) => void
  /** how long a run may go on once nobody wants it any more: after that its model is not offered until it ends; 2 minutes unless told */
  letGoMs?: number | undefined
}

interface Shelved extends ShelvedModel {
  readonly offer: OfferedModel
  readonly pinned: boolean
  readonly readFile: OpenModel['readFile']
  unitsPerSecond: number
  current: ModelOpening | null
  /** rises with each run over all models: the lowest was used least recently */
  usedAt: number
}

/** A step of a large model between two looks at whether it is wanted takes seconds, on a slow machine a minute. */
const defaultLetGoMs = 120_000

/** Weights are held once, and what runs make of them beside: a guess, as activations depend on the task. */
const memoryPerByte = 1.5
/** A worker with its runtime: 50 MiB of resident memory more for the second model of 6 MiB, on Linux x64 with Node 24.21; the first one took 137 MiB with what all share. */
const workerBytes = 48 * 2 ** 20

/** Bytes that a model with this manifest is reckoned to take while it is loaded: 1.5 times its files, and 48 MiB for its worker. */
export function toMemoryBytes({ files }: Manifest): number {
  return Math.ceil(files.reduce((sum, { bytes }) => sum + bytes, 0) * memoryPerByte) + workerBytes
}

/**
 * The models that a miner offers, of which as many are loaded as its memory budget takes: a run loads the model it needs, and those
 * used least recently make place, unless they are pinned or run. A model whose worker ends, or that runs out of memory, is closed
 * and opened again by the next run; one that does not open is not offered until it does.
 */
export class ModelShelf {
  readonly #options: ModelShelfOptions
  readonly #models = new Map<Hash, Shelved>()
  readonly #gates = new Map<DeviceName, Gate>()
  /** one at a time looks for room, so that a large model is not passed by small ones for ever */
  readonly #door = createGate(1)
  readonly #changed = createWakeList()
  /** everything open, retired or not */
  readonly #openings = new Map<ModelOpening, Shelved>()
  readonly #ended = new AbortController()
  readonly #offers: ModelOffers<Shelved>
  #usedBytes = 0
  #runs = 0

  constructor(options: ModelShelfOptions) {
    this.#options = options
    const { onWithheld, onOffered, retryMs } = options
    this.#offers = new ModelOffers<Shelved>({ onWithheld, onOffered, retryMs, tryAgain: (entry) => this.#tryOnce(entry), signal: this.#ended.signal })
    for (const device of deviceNames) this.#gates.set(device, createGate(options.slotsByDevice[device] ?? Number.POSITIVE_INFINITY))
  }

  /** In the order they were added. */
  get models(): ReadonlyMap<Hash, ShelvedModel> {
    return this.#models
  }

  /** Those that tasks are taken for. */
  get offered(): ShelvedModel[] {
    return [...this.#models.values()].filter((entry) => this.#offers.findWithheld(entry) === null)
  }

  /** Aborts as soon as {@link offered} is not what it is now. */
  get outdated(): AbortSignal {
    return this.#offers.outdated
  }

  /** Tasks that may begin without waiting for a device. */
  countRoom(): number {
    const devices = new Set(this.offered.map(({ device }) => device))
    return [...devices].reduce((sum, device) => {
      const { inside, waiting } = this.#gates.get(device) as Gate
      return sum + Math.max(0, this.#getSlots(device) - inside - waiting)
    }, 0)
  }

  /**
   * Opens a model for the first time and keeps it; others make place for it. Where it runs out of memory, all that are idle are
   * unloaded and it is opened once more.
   * @throws CUCKOO_MINER_MODEL_TWICE, CUCKOO_MINER_MODEL_OVER_BUDGET, and what the engine throws
   */
  async add(offer: OfferedModel, options: { signal?: AbortSignal; onProgress?: (progress: DownloadProgress) => void } = {}): Promise<ShelvedModel> {
    let onStuck: RunWatch['onStuck'] = () => undefined
    const model = await this.#openFirst({ ...offer, ...options, watch: { letGoMs: this.#letGoMs, onStuck: (isStuck) => onStuck(isStuck) } })
    try {
      const entry = this.#toEntry(offer, model)
      this.#assertBudget(entry)
      this.#models.set(model.manifestDigest, entry)
      onStuck = this.#open(entry, () => Promise.resolve(model))
      await this.#makeRoom(0)
      return entry
    } catch (error) {
      await model.dispose()
      throw error
    }
  }

  /** What its warm-up measured. */
  setSpeed(manifestDigest: Hash, unitsPerSecond: number): void {
    this.#get(manifestDigest).unitsPerSecond = unitsPerSecond
  }

  /**
   * What `work` makes of the model: waits for a slot of its device, and loads it first where need be. After a run out of memory the
   * device's other models are unloaded and `work` is called once more; so it is where another run ended the model while this one waited.
   *
   * @throws what `work` throws, the signal's reason
   * @throws CUCKOO_MINER_MODEL_UNUSABLE when it does not load again, whatever the reason: that is this machine's fault, never the task's
   * @throws CUCKOO_INFERENCE_OUT_OF_MEMORY
   * @throws CUCKOO_MINER_ASSIGNMENT_MODEL_UNKNOWN when no such model is on the shelf
   */
  async run<T>(manifestDigest: Hash, work: (model: OpenModel) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const entry = this.#get(manifestDigest)
    const withheld = this.#offers.findWithheld(entry)
    if (withheld !== null) throw withheld.error
    const leave = await (this.#gates.get(entry.device) as Gate).enter(signal)
    try {
      return await this.#runOnce(entry, work, signal)
    } catch (error) {
      const isClosed = isError(error, inferenceDisposed) && !this.#ended.signal.aborted
      if (!(isClosed || isError(error, inferenceOutOfMemory)) || signal?.aborted) throw error
      if (!isClosed) await this.#unloadOthers(entry)
      return await this.#runOnce(entry, work, signal)
    } finally {
      leave()
    }
  }

  /** Bytes of one of the manifest's files, whether the model is loaded or not. */
  readFile(manifestDigest: Hash, path: string): Promise<Uint8Array> {
    return this.#get(manifestDigest).readFile(path)
  }

  /** Resolves when no model is in memory any more: those that run end first. None is opened but for a run until {@link resume}. */
  async unloadAll(): Promise<void> {
    this.#offers.setResting(true)
    for (const entry of this.#models.values()) if (entry.current !== null) this.#retire(entry, entry.current, 'paused')
    await Promise.all([...this.#openings.keys()].map(({ settled }) => settled))
  }

  resume(): void {
    this.#offers.setResting(false)
  }

  /** Closes all models, those that run too. Resolves with those that it gave up, as what runs or loads in them does not end. */
  async dispose(): Promise<ShelvedModel[]> {
    this.#ended.abort(minerStopped({}))
    const closed = new AbortController()
    const closing = Promise.all([...this.#openings.keys()].map((opening) => opening.close()))
    await Promise.race([closing, waitMs(this.#letGoMs, closed.signal)])
    closed.abort()
    return [...new Set(this.#openings.values())]
  }

  getState(): { models: ModelState[]; devices: DeviceState[]; memory: { usedBytes: number; budgetBytes: number | null } } {
    const entries = [...this.#models.values()]
    return {
      models: entries.map((entry) => this.#toState(entry)),
      devices: [...new Set(entries.map(({ device }) => device))].map((device) => {
        const { inside, waiting } = this.#gates.get(device) as Gate
        return { device, running: inside, waiting, slots: this.#options.slotsByDevice[device] ?? null }
      }),
      memory: { usedBytes: this.#usedBytes, budgetBytes: this.#options.memoryBytes },
    }
  }

  #toState(entry: Shelved): ModelState {
    const { manifest, manifestDigest, device, deviceReason, unitsPerSecond, pinned, memoryBytes, current } = entry
    const withheld = this.#offers.findWithheld(entry)
    return {
      model: manifest.model,
      manifest: manifestDigest,
      kind: manifest.kind,
      dtype: manifest.dtype,
      device,
      deviceReason,
      unitsPerSecond,
      state: current === null ? 'unloaded' : current.isLoaded ? 'loaded' : 'loading',
      pinned,
      memoryBytes,
      running: current?.running ?? 0,
      withheld: withheld === null ? null : { reason: withheld.reason, retryAtMs: withheld.retryAtMs },
    }
  }

  get #letGoMs(): number {
    return this.#options.letGoMs ?? defaultLetGoMs
  }

  #get(manifestDigest: Hash): Shelved {
    const entry = this.#models.get(manifestDigest)
    if (entry === undefined) throw assignmentModelUnknown({ manifest: manifestDigest })
    return entry
  }

  #getSlots(device: DeviceName): number {
    return this.#options.slotsByDevice[device] ?? Number.POSITIVE_INFINITY
  }

  #toEntry(offer: OfferedModel, { manifest, manifestDigest, device, deviceReason, readFile }: OpenModel): Shelved {
    if (this.#models.has(manifestDigest)) throw minerModelTwice({ model: offer.model, dtype: offer.dtype })
    const pinned = this.#options.pinned.includes(manifest.model)
    const known = { manifest, manifestDigest, device, deviceReason, readFile, memoryBytes: toMemoryBytes(manifest) }
    return { ...known, offer, pinned, unitsPerSecond: 0, current: null, usedAt: ++this.#runs }
  }

  /** The pinned models and the largest of the others must have place together, or a task would wait for ever. */
  #assertBudget(added: Shelved): void {
    const { memoryBytes: budgetBytes } = this.#options
    if (budgetBytes === null) return
    const entries = [...this.#models.values(), added]
    const pinnedBytes = entries.reduce((sum, { pinned, memoryBytes }) => sum + (pinned ? memoryBytes : 0), 0)
    const largestBytes = entries.reduce((largest, { pinned, memoryBytes }) => (pinned ? largest : Math.max(largest, memoryBytes)), 0)
    const neededBytes = pinnedBytes + largestBytes
    if (neededBytes > budgetBytes) throw minerModelOverBudget({ model: added.manifest.model, neededBytes, pinnedBytes, budgetBytes })
  }

  async #runOnce<T>(entry: Shelved, work: (model: OpenModel) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const opening = await this.#hold(entry, signal)
    try {
      return await work(await opening.getModel(signal))
    } catch (error) {
      if (isError(error, inferenceOutOfMemory)) this.#retire(entry, opening, 'outOfMemory')
      if (isError(error, inferenceWorkerEnded) || isError(error, inferenceDisposed)) this.#retire(entry, opening, 'workerEnded')
      throw error
    } finally {
      opening.release()
      this.#changed.notify()
    }
  }

  /** The model's opening with one run more. */
  async #hold(entry: Shelved, signal: AbortSignal | undefined): Promise<ModelOpening> {
    entry.usedAt = ++this.#runs
    // While somebody looks for room, runs of loaded models line up too: without that, a busy model would never make place.
    const leave = entry.current !== null && this.#door.inside === 0 ? null : await this.#door.enter(signal)
    try {
      if (entry.current === null) {
        await this.#makeRoom(entry.memoryBytes, signal)
        this.#open(entry, (onStuck) => this.#reopen(entry, onStuck))
      }
      const opening = entry.current as unknown as ModelOpening
      opening.hold()
      return opening
    } finally {
      leave?.()
    }
  }

  /** Unloads what was used least recently until `bytes` more fit, and waits for runs to end where only those are left. */
  async #makeRoom(bytes: number, signal?: AbortSignal): Promise<void> {
    const budgetBytes = this.#options.memoryBytes ?? Number.POSITIVE_INFINITY
    while (this.#usedBytes + bytes > budgetBytes) {
      signal?.throwIfAborted()
      const stuckBytes = [...this.#openings.keys()].reduce((sum, { isStuck, memoryBytes }) => sum + (isStuck ? memoryBytes : 0), 0)
      if (stuckBytes > 0 && stuckBytes + bytes > budgetBytes) throw minerMemoryStuck({ neededBytes: bytes, stuckBytes, budgetBytes })
      const [oldest] = this.#listIdle().sort((a, b) => a.usedAt - b.usedAt)
      if (oldest === undefined) await this.#changed.wait(signal)
      else await this.#unload(oldest, 'memory')
    }
  }

  #listIdle(): Shelved[] {
    return [...this.#models.values()].filter(({ pinned, current }) => !pinned && current?.running === 0 && !current.isStuck)
  }

  /** A model whose size nobody knows before it is open, so that no room could be made for it. */
  async #openFirst(request: OpenModelRequest): Promise<OpenModel> {
    try {
      return await this.#options.engine.openModel(request)
    } catch (error) {
      if (!isError(error, inferenceOutOfMemory) || request.signal?.aborted) throw error
      await Promise.all(this.#listIdle().map((other) => this.#unload(other, 'outOfMemory')))
      return await this.#options.engine.openModel(request)
    }
  }

  async #unloadOthers(entry: Shelved): Promise<void> {
    const same = [...this.#openings.keys()].filter(({ isRetired }) => isRetired).map(({ settled }) => settled)
    const others = this.#listIdle().filter((other) => other !== entry && other.device === entry.device)
    await Promise.all([...same, ...others.map((other) => this.#unload(other, 'outOfMemory'))])
  }

  async #unload(entry: Shelved, reason: UnloadReason): Promise<void> {
    const opening = entry.current
    if (opening === null) return
    this.#retire(entry, opening, reason)
    await opening.settled
  }

  /** Returns what its worker tells of runs that do not end. */
  #open(entry: Shelved, start: (onStuck: RunWatch['onStuck']) => Promise<OpenModel>): RunWatch['onStuck'] {
    const { memoryBytes } = entry
    const onStuck = (isStuck: boolean) => this.#setStuck(entry, opening, isStuck)
    const opening = new ModelOpening(memoryBytes, start(onStuck), (failed) => this.#retire(entry, failed, null))
    entry.current = opening
    this.#openings.set(opening, entry)
    this.#usedBytes += memoryBytes
    void opening.closed.then(() => {
      this.#openings.delete(opening)
      this.#usedBytes -= memoryBytes
      this.#changed.notify()
    })
    return onStuck
  }

  #setStuck(entry: Shelved, opening: ModelOpening, isStuck: boolean): void {
    opening.setStuck(isStuck)
    this.#offers.setStuck(entry, isStuck ? inferenceStuck({ model: entry.offer.model }) : null)
    this.#changed.notify()
  }

  /** @throws CUCKOO_MINER_MODEL_UNUSABLE, CUCKOO_INFERENCE_OUT_OF_MEMORY, CUCKOO_MINER_STOPPED */
  async #reopen(entry: Shelved, onStuck: RunWatch['onStuck']): Promise<OpenModel> {
    this.#ended.signal.throwIfAborted()
    const startedAtMs = performance.now()
    let model: OpenModel
    try {
      model = await this.#openSame(entry, onStuck)
    } catch (error) {
      this.#ended.signal.throwIfAborted()
      const failure = toOwnFault(entry.offer.model, error)
      this.#offers.countFailure(entry, failure)
      throw failure
    }
    this.#offers.countSuccess(entry)
    this.#options.onReloaded?.(entry, performance.now() - startedAtMs)
    return model
  }

  async #openSame({ offer, manifestDigest, device }: Shelved, onStuck: RunWatch['onStuck']): Promise<OpenModel> {
    // The device that was found at the start, so that a limit of its slots holds on.
    const model = await this.#options.engine.openModel({ ...offer, device, watch: { letGoMs: this.#letGoMs, onStuck } })
    if (model.manifestDigest === manifestDigest) return model
    await model.dispose()
    throw minerModelUnusable({ model: offer.model, reason: 'its files have changed since the start' })
  }

  async #tryOnce(entry: Shelved): Promise<void> {
    const { signal } = this.#ended
    const opening = await this.#hold(entry, signal).catch(() => null)
    await opening?.getModel(signal).catch(() => undefined)
    opening?.release()
    this.#changed.notify()
  }

  /** No new runs in it; `reason` null: it never loaded. */
  #retire(entry: Shelved, opening: ModelOpening, reason: UnloadReason | null): void {
    if (!opening.retire()) return
    if (entry.current === opening) entry.current = null
    if (reason !== null) void opening.closed.then(() => this.#options.onUnloaded?.(entry, reason))
  }
}

/** `error` as a fault of this machine. Its text names neither folder nor file: it goes to the coordinator. */
function toOwnFault(model: string, error: unknown): CuckooError {
  if (isError(error, minerModelUnusable) || isError(error, inferenceOutOfMemory)) return error
  return minerModelUnusable({ model, reason: `it does not load again (${toCuckooError(error).code})` }, { cause: error })
}
