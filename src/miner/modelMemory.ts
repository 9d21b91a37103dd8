import type { DeviceName, OpenModel, RunWatch } from '../domain/enginePort.ts'
import { minerMemoryStuck, minerModelOverBudget } from '../errors/miner.ts'
import { createGate } from './gate.ts'
import type { UnloadReason } from './minerEvents.ts'
import { ModelOpening } from './modelOpening.ts'
import { createWakeList } from './wakeList.ts'

/** What the memory must know of a model. */
export interface Resident {
  /** its name in errors */
  readonly model: string
  readonly device: DeviceName
  readonly memoryBytes: number
  /** never unloaded to make place */
  readonly pinned: boolean
}

export interface ModelMemoryOptions<Model> {
  /** null: no limit */
  budgetBytes: number | null
  /** its memory is free */
  onUnloaded?: ((model: Model, reason: UnloadReason) => void) | undefined
  /** what runs or loads in it does not end, or has ended after all */
  onStuck: (model: Model, isStuck: boolean) => void
}

/** Opens a model; `onStuck` is what its worker calls. */
export type StartModel = (onStuck: RunWatch['onStuck']) => Promise<OpenModel>

/**
 * The models in memory, as many as its budget takes: to make place, those used least recently are unloaded, unless they are pinned or
 * run. What does not end stays in the memory and is reckoned with.
 */
export class ModelMemory<Model extends Resident> {
  readonly #options: ModelMemoryOptions<Model>
  readonly #budgetBytes: number
  /** one at a time looks for room, so that a large model is not passed by small ones for ever */
  readonly #door = createGate(1)
  readonly #changed = createWakeList()
  /** those that take runs */
  readonly #current = new Map<Model, ModelOpening>()
  /** everything open, retired or not */
  readonly #openings = new Map<ModelOpening, Model>()
  /** the lowest was used least recently */
  readonly #usedAt = new Map<Model, number>()
  #usedBytes = 0
  #uses = 0

  constructor(options: ModelMemoryOptions<Model>) {
    this.#options = options
    this.#budgetBytes = options.budgetBytes ?? Number.POSITIVE_INFINITY
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** The opening that takes the model's runs; null: it is not loaded. */
  findOpening(model: Model): ModelOpening | null {
    return this.#current.get(model) ?? null
  }

  /**
   * The pinned models and the largest of the others must have place together, or a task would wait for ever.
   * @throws CUCKOO_MINER_MODEL_OVER_BUDGET naming `added`
   */
  assertBudget(added: Model, others: Iterable<Model>): void {
    const models = [...others, added]
    const pinnedBytes = models.reduce((sum, { pinned, memoryBytes }) => sum + (pinned ? memoryBytes : 0), 0)
    const largestBytes = models.reduce((largest, { pinned, memoryBytes }) => (pinned ? largest : Math.max(largest, memoryBytes)), 0)
    const neededBytes = pinnedBytes + largestBytes
    const budgetBytes = this.#budgetBytes
    if (neededBytes > budgetBytes) throw minerModelOverBudget({ model: added.model, neededBytes, pinnedBytes, budgetBytes })
  }

  /**
   * The model's opening with one run more, until {@link release}; others make place for it where it is not loaded.
   * @throws the signal's reason; CUCKOO_MINER_MEMORY_STUCK when what does not end leaves it no place
   */
  async hold(model: Model, start: StartModel, signal: AbortSignal | undefined): Promise<ModelOpening> {
    this.#usedAt.set(model, ++this.#uses)
    // While somebody looks for room, runs of loaded models line up too: without that, a busy model would never make place.
    const leave = this.#current.has(model) && this.#door.inside === 0 ? null : await this.#door.enter(signal)
    try {
      let opening = this.findOpening(model)
      if (opening === null) {
        await this.makeRoom(model.memoryBytes, signal)
        opening = this.open(model, start)
      }
      opening.hold()
      return opening
    } finally {
      leave?.()
    }
  }

  release(opening: ModelOpening): void {
    opening.release()
    this.#changed.notify()
  }

  /** Starts to open a model, whether there is room for it or not. */
  open(model: Model, start: StartModel): ModelOpening {
    const { memoryBytes } = model
    const opening = new ModelOpening({
      model: model.model,
      memoryBytes,
      start: () =>
        start((isStuck) => {
          opening.setStuck(isStuck)
          this.#options.onStuck(model, isStuck)
          this.#changed.notify()
        }),
      onFailed: () => this.retire(opening, null),
    })
    this.#current.set(model, opening)
    this.#usedAt.set(model, ++this.#uses)
    this.#openings.set(opening, model)
    this.#usedBytes += memoryBytes
    void opening.closed.then(() => {
      this.#openings.delete(opening)
      this.#usedBytes -= memoryBytes
      this.#changed.notify()
    })
    return opening
  }

  /** No new runs in it; `reason` null: it never loaded. */
  retire(opening: ModelOpening, reason: UnloadReason | null): void {
    const model = this.#openings.get(opening)
    if (model === undefined || !opening.retire()) return
    if (this.#current.get(model) === opening) this.#current.delete(model)
    if (reason !== null) void opening.closed.then(() => this.#options.onUnloaded?.(model, reason))
  }

  /** Unloads what was used least recently until `bytes` more fit, and waits for runs to end where only those are left. */
  async makeRoom(bytes: number, signal?: AbortSignal): Promise<void> {
    const budgetBytes = this.#budgetBytes
    while (this.#usedBytes + bytes > budgetBytes) {
      signal?.throwIfAborted()
      const stuckBytes = [...this.#openings.keys()].reduce((sum, { isStuck, memoryBytes }) => sum + (isStuck ? memoryBytes : 0), 0)
      if (stuckBytes > 0 && stuckBytes + bytes > budgetBytes) throw minerMemoryStuck({ neededBytes: bytes, stuckBytes, budgetBytes })
      const [oldest] = this.#listIdle()
      if (oldest === undefined) await this.#changed.wait(signal)
      else await this.#unload(oldest, 'memory')
    }
  }

  /** After memory ran out. Resolves when what is retired is closed and nothing idle is left: on the device of `model`, but for that, or anywhere. */
  async unloadOthers(model?: Model): Promise<void> {
    const isMeant = (other: Model) => model === undefined || (other !== model && other.device === model.device)
    const closing = [...this.#openings.keys()].filter(({ isRetired }) => isRetired)
    const idle = this.#listIdle().filter((opening) => isMeant(this.#openings.get(opening) as Model))
    await Promise.all([...closing.map(({ settled }) => settled), ...idle.map((opening) => this.#unload(opening, 'outOfMemory'))])
  }

  /** Resolves when nothing is in memory, or nobody should wait for what still is: those that run end first. */
  async unloadAll(reason: UnloadReason): Promise<void> {
    for (const opening of this.#current.values()) this.retire(opening, reason)
    await Promise.all([...this.#openings.keys()].map(({ settled }) => settled))
  }

  /** Closes all, those that run too. */
  async close(): Promise<void> {
    await Promise.all([...this.#openings.keys()].map((opening) => opening.close()))
  }

  /** Those in memory, retired or not. */
  listOpen(): Model[] {
    return [...new Set(this.#openings.values())]
  }

  /** What may be unloaded, the least recently used first. */
  #listIdle(): ModelOpening[] {
    const idle = [...this.#current].filter(([{ pinned }, { running, isStuck }]) => !pinned && running === 0 && !isStuck)
    const toUse = ([model]: [Model, ModelOpening]) => this.#usedAt.get(model) as number
    return idle.sort((a, b) => toUse(a) - toUse(b)).map(([, opening]) => opening)
  }

  async #unload(opening: ModelOpening, reason: UnloadReason): Promise<void> {
    this.retire(opening, reason)
    await opening.settled
  }
}
