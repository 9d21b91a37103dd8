import type { CuckooError } from '../errors/cuckooError.ts'
import { waitMs } from './backoff.ts'
import type { WithheldState } from './minerState.ts'

/** What fails so often in a row is not offered any more: a miner that draws tasks to fail each keeps them from others. */
const maxFailures = 3
const defaultRetryMs = [60_000, 300_000, 900_000]

interface Withheld extends WithheldState {
  error: CuckooError
}

export interface ModelOffersOptions<Model> {
  /** opens a model that is not offered, and tells {@link ModelOffers.countFailure} or {@link ModelOffers.countSuccess} */
  tryAgain: (model: Model) => Promise<void>
  /** it is not offered from now on, or was tried again in vain */
  onWithheld?: ((model: Model, error: CuckooError, withheld: WithheldState) => void) | undefined
  /** it is offered again */
  onOffered?: ((model: Model) => void) | undefined
  /** pauses before a model that is not offered is opened again, the last one again and again; 1, 5 and 15 minutes unless told */
  retryMs?: readonly number[] | undefined
  /** aborts when the miner ends */
  signal: AbortSignal
}

/**
 * Which of a miner's models tasks are taken for: all but those that failed to open three times in a row, until they open, and those
 * whose run does not end, until it does.
 */
export class ModelOffers<Model extends object> {
  readonly #options: ModelOffersOptions<Model>
  readonly #failures = new Map<Model, number>()
  readonly #withheld = new Map<Model, Withheld>()
  #outdated = new AbortController()
  #isResting = false

  constructor(options: ModelOffersOptions<Model>) {
    this.#options = options
  }

  /** Aborts as soon as another model is offered, or one less. */
  get outdated(): AbortSignal {
    return this.#outdated.signal
  }

  /** Why the model is not offered; null: it is. */
  findWithheld(model: Model): Withheld | null {
    return this.#withheld.get(model) ?? null
  }

  /** Nothing is tried again while the miner rests. */
  setResting(isResting: boolean): void {
    this.#isResting = isResting
  }

  /** An opening failed with `error`. */
  countFailure(model: Model, error: CuckooError): void {
    const failures = (this.#failures.get(model) ?? 0) + 1
    this.#failures.set(model, failures)
    if (failures < maxFailures) return
    const isFirst = !this.#withheld.has(model)
    this.#withheld.set(model, { error, reason: (error.cause instanceof Error ? error.cause : error).message, retryAtMs: null })
    if (!isFirst) return
    this.#renew()
    void this.#keepTrying(model)
  }

  /** It opened. */
  countSuccess(model: Model): void {
    this.#failures.delete(model)
    if (this.#withheld.delete(model)) this.#tellOffered(model)
  }

  /** A run in it does not end (`error`), or has ended after all (null). */
  setStuck(model: Model, error: CuckooError | null): void {
    if (error === null) {
      if (this.#withheld.delete(model)) this.#tellOffered(model)
      return
    }
    const withheld = { error, reason: error.message, retryAtMs: null }
    this.#withheld.set(model, withheld)
    this.#renew()
    this.#options.onWithheld?.(model, error, withheld)
  }

  #tellOffered(model: Model): void {
    this.#renew()
    this.#options.onOffered?.(model)
  }

  /** Opens the model now and then, until it is offered. */
  async #keepTrying(model: Model): Promise<void> {
    const { retryMs = defaultRetryMs, onWithheld, tryAgain, signal } = this.#options
    for (let tries = 0; ; tries++) {
      const withheld = this.#withheld.get(model)
      if (withheld === undefined) return
      const pauseMs = retryMs[Math.min(tries, retryMs.length - 1)] as number
      withheld.retryAtMs = Date.now() + pauseMs
      if (!this.#isResting) onWithheld?.(model, withheld.error, withheld)
      if (!(await waitMs(pauseMs, signal))) return
      if (!this.#isResting) await tryAgain(model)
    }
  }

  #renew(): void {
    const outdated = this.#outdated
    this.#outdated = new AbortController()
    outdated.abort()
  }
}
