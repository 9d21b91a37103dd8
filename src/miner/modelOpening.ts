import type { OpenModel } from '../domain/enginePort.ts'

/** One time that a model is in memory: it loads, takes runs, is retired, and closes when its last run has ended. */
export class ModelOpening {
  readonly memoryBytes: number
  readonly #model: Promise<OpenModel>
  readonly #closed = Promise.withResolvers<void>()
  readonly #stuck = Promise.withResolvers<void>()
  #isLoaded = false
  #isRetired = false
  #isStuck = false
  #running = 0
  #closing: Promise<void> | null = null

  /** `onFailed` is called when `model` does not load. */
  constructor(memoryBytes: number, model: Promise<OpenModel>, onFailed: (opening: ModelOpening) => void) {
    this.memoryBytes = memoryBytes
    this.#model = model
    model.then(
      () => {
        this.#isLoaded = true
      },
      () => onFailed(this),
    )
  }

  get isLoaded(): boolean {
    return this.#isLoaded
  }

  get isRetired(): boolean {
    return this.#isRetired
  }

  /** Runs in it, and those that wait for it to load. */
  get running(): number {
    return this.#running
  }

  /** A run in it does not end. */
  get isStuck(): boolean {
    return this.#isStuck
  }

  /** Resolves when it is closed, and when nobody should wait for that. */
  get settled(): Promise<void> {
    return Promise.race([this.closed, this.#stuck.promise])
  }

  /** Resolves when it is out of the memory. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** The model, once it is loaded. @throws the signal's reason when it aborts first: the model goes on loading for others */
  async getModel(signal: AbortSignal | undefined): Promise<OpenModel> {
    if (signal === undefined) return this.#model
    signal.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const giveUp = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    try {
      return await Promise.race([this.#model, aborted.promise])
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  /** One run more, until {@link release}. */
  hold(): void {
    this.#running++
  }

  release(): void {
    this.#running--
    if (this.#isRetired && this.#running === 0) void this.close()
  }

  /** Takes no more runs. False where it took none already. */
  retire(): boolean {
    if (this.#isRetired) return false
    this.#isRetired = true
    if (this.#running === 0) void this.close()
    return true
  }

  /** What its worker says of a run: that it does not end, or that it has. */
  setStuck(isStuck: boolean): void {
    this.#isStuck = isStuck
    if (isStuck) this.#stuck.resolve()
    else if (this.#closing !== null) this.#closed.resolve()
  }

  /** Closes it now, whatever runs; one that is stuck stays in the memory. */
  close(): Promise<void> {
    this.#closing ??= this.#model
      .then((model) => model.dispose())
      .catch(() => undefined)
      .then(() => (this.#isStuck ? undefined : this.#closed.resolve()))
    return this.#closing
  }
}
