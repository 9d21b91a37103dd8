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
import { inferenceDisposed, inferenceOutOfMemory, inferenceStuck, inferenceWorkerEnded, tokenizerTimedOut } from '../errors/inference.ts'
import { toCuckooError } from '../errors/internal.ts'
import { assignmentModelUnknown, minerModelTwice, minerModelUnusable, minerStopped } from '../errors/miner.ts'
import { waitMs } from './backoff.ts'
import { createGate, type Gate } from './gate.ts'
import type { UnloadReason } from './minerEvents.ts'
import type { DeviceState, ModelState } from './minerState.ts'
import { defaultMinerTiming, type MinerTiming } from './minerTiming.ts'
import { ModelMemory } from './modelMemory.ts'
import { ModelOffers, type ModelOffersOptions } from './modelOffers.ts'

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
  /** as {@link MinerTiming} has them; the defaults unless told */
  timing?: Partial<Pick<MinerTiming, 'letGoMs' | 'firstLoadMs' | 'loadMs'>> | undefined
}

interface Shelved extends ShelvedModel {
  readonly offer: OfferedModel
  readonly model: string
  readonly pinned: boolean
  readonly readFile: OpenModel['readFile']
  unitsPerSecond: number
}

/** What a run says whose worker has ended: by itself, over a tokenizer that had to be stopped, or over another run. */
const endings = [inferenceWorkerEnded, tokenizerTimedOut, inferenceDisposed]

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
  readonly #timing: MinerTiming
  readonly #models = new Map<Hash, Shelved>()
  readonly #gates = new Map<DeviceName, Gate>()
  readonly #ended = new AbortController()
  readonly #offers: ModelOffers<Shelved>
  readonly #memory: ModelMemory<Shelved>

  constructor(options: ModelShelfOptions) {
    this.#options = options
    this.#timing = { ...defaultMinerTiming, ...options.timing }
    const { onWithheld, onOffered, retryMs, memoryBytes: budgetBytes, onUnloaded } = options
    this.#offers = new ModelOffers<Shelved>({ onWithheld, onOffered, retryMs, tryAgain: (entry) => this.#tryOnce(entry), signal: this.#ended.signal })
    this.#memory = new ModelMemory<Shelved>({
      budgetBytes,
      onUnloaded,
      onStuck: (entry, isStuck) => this.#offers.setStuck(entry, isStuck ? inferenceStuck({ model: entry.model }) : null),
    })
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
   * @throws CUCKOO_INFERENCE_STUCK when its loading does not end
   */
  async add(offer: OfferedModel, options: { signal?: AbortSignal; onProgress?: (progress: DownloadProgress) => void } = {}): Promise<ShelvedModel> {
    const late = Promise.withResolvers<never>()
    let onStuck: RunWatch['onStuck'] = () => late.reject(inferenceStuck({ model: offer.model }))
    const { letGoMs, firstLoadMs: loadMs } = this.#timing
    const opening = this.#openFirst({ ...offer, ...options, watch: { letGoMs, loadMs, onStuck: (isStuck) => onStuck(isStuck) } })
    const model = await Promise.race([opening, late.promise]).catch((error: unknown) => {
      opening.then((model) => model.dispose()).catch(() => undefined)
      throw error
    })
    try {
      const entry = this.#toEntry(offer, model)
      this.#memory.assertBudget(entry, this.#models.values())
      this.#models.set(model.manifestDigest, entry)
      this.#memory.open(entry, async (told) => {
        onStuck = told
        return model
      })
      await this.#memory.makeRoom(0)
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
      if (!isClosed) await this.#memory.unloadOthers(entry)
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
    await this.#memory.unloadAll('paused')
  }

  resume(): void {
    this.#offers.setResting(false)
  }

  /** Closes all models, those that run too. Resolves with those that it gave up, as what runs or loads in them does not end. */
  async dispose(): Promise<ShelvedModel[]> {
    this.#ended.abort(minerStopped({}))
    const closed = new AbortController()
    await Promise.race([this.#memory.close(), waitMs(this.#timing.letGoMs, closed.signal)])
    closed.abort()
    return this.#memory.listOpen()
  }

  getState(): { models: ModelState[]; devices: DeviceState[]; memory: { usedBytes: number; budgetBytes: number | null } } {
    const entries = [...this.#models.values()]
    return {
      models: entries.map((entry) => this.#toState(entry)),
      devices: [...new Set(entries.map(({ device }) => device))].map((device) => {
        const { inside, waiting } = this.#gates.get(device) as Gate
        return { device, running: inside, waiting, slots: this.#options.slotsByDevice[device] ?? null }
      }),
      memory: { usedBytes: this.#memory.usedBytes, budgetBytes: this.#options.memoryBytes },
    }
  }

  #toState(entry: Shelved): ModelState {
    const { manifest, manifestDigest, device, deviceReason, unitsPerSecond, pinned, memoryBytes } = entry
    const current = this.#memory.findOpening(entry)
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
    const { model } = manifest
    const known = { model, manifest, manifestDigest, device, deviceReason, readFile, memoryBytes: toMemoryBytes(manifest) }
    return { ...known, offer, pinned: this.#options.pinned.includes(model), unitsPerSecond: 0 }
  }

  async #runOnce<T>(entry: Shelved, work: (model: OpenModel) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const opening = await this.#memory.hold(entry, (onStuck) => this.#reopen(entry, onStuck), signal)
    try {
      return await work(await opening.getModel(signal))
    } catch (error) {
      if (isError(error, inferenceOutOfMemory)) this.#memory.retire(opening, 'outOfMemory')
      if (endings.some((factory) => isError(error, factory))) this.#memory.retire(opening, 'workerEnded')
      throw error
    } finally {
      this.#memory.release(opening)
    }
  }

  /** A model whose size nobody knows before it is open, so that no room could be made for it. */
  async #openFirst(request: OpenModelRequest): Promise<OpenModel> {
    try {
      return await this.#options.engine.openModel(request)
    } catch (error) {
      if (!isError(error, inferenceOutOfMemory) || request.signal?.aborted) throw error
      await this.#memory.unloadOthers()
      return await this.#options.engine.openModel(request)
    }
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
    const { letGoMs, loadMs } = this.#timing
    const watch = { letGoMs, loadMs, onStuck }
    const model = await this.#options.engine.openModel({ ...offer, device, watch })
    if (model.manifestDigest === manifestDigest) return model
    await model.dispose()
    throw minerModelUnusable({ model: offer.model, reason: 'its files have changed since the start' })
  }

  /** Opens a model that is not offered. */
  async #tryOnce(entry: Shelved): Promise<void> {
    await this.#runOnce(entry, async () => undefined, this.#ended.signal).catch(() => undefined)
  }
}

/** `error` as a fault of this machine. Its text names neither folder nor file: it goes to the coordinator. */
function toOwnFault(model: string, error: unknown): CuckooError {
  if (isError(error, minerModelUnusable) || isError(error, inferenceOutOfMemory)) return error
  return minerModelUnusable({ model, reason: `it does not load again (${toCuckooError(error).code})` }, { cause: error })
}
