import type { OpenModel } from '../domain/enginePort.ts'
import { inferenceStuck } from '../errors/inference.ts'

export interface ModelOpeningOptions {
  /** its name in errors */
  model: string
  memoryBytes: number
  start: () => Promise<OpenModel>
  /** it does not load */
  onFailed: () => void
}

/** One time that a model is in memory: it loads, takes runs, is retired, and closes when its last run has ended. */
export class ModelOpening {
  readonly memoryBytes: number
  readonly #name: string
  readonly #model: Promise<OpenModel>
  readonly #closed = Promise.withResolvers<void>()
  #stuck = Promise.withResolvers<void>()
  #isLoaded = false
  #isRetired = false
  #isStuck = false
  #running = 0
  #closing: Promise<void> | null = null

  constructor({ model, memoryBytes, start, onFailed }: ModelOpeningOptions) {
    this.memoryBytes = memoryBytes
    this.#name = model
    this.#model = start()
    this.#model.then(() => {
      this.#isLoaded = true
    }, onFailed)
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

  /** A run in it does not end, or its loading. */
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

  /**
   * The model, once it is loaded.
   * @throws the signal's reason when it aborts first: the model goes on loading for others
   * @throws CUCKOO_INFERENCE_STUCK when its loading does not end
   */
  async getModel(signal: AbortSignal | undefined): Promise<OpenModel> {
    signal?.throwIfAborted()
    if (this.#isLoaded) return this.#model
    const aborted = Promise.withResolvers<never>()
    const giveUp = () => aborted.reject(signal?.reason)
    signal?.addEventListener('abort', giveUp)
    const late = this.#stuck.promise.then(() => Promise.reject(inferenceStuck({ model: this.#name })))
    try {
      return await Promise.race([this.#model, aborted.promise, late])
    } finally {
      signal?.removeEventListener('abort', giveUp)
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

  /** What its worker says of a run or of its loading: that it does not end, or that it has. */
  setStuck(isStuck: boolean): void {
    this.#isStuck = isStuck
    if (isStuck) this.#stuck.resolve()
    else {
      this.#stuck = Promise.withResolvers()
      if (this.#closing !== null && this.#isLoaded) this.#closed.resolve()
    }
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
