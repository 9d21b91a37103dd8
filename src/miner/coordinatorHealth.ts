import type { CuckooError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { MinerContext } from './minerContext.ts'
import type { CoordinatorName } from './minerEvents.ts'
import { toPlainReasons } from './plainReasons.ts'
import { toRetryMs } from './retry.ts'

/** A session that is lost sooner than this is no reason to try the next one at once. */
const shortLifeMs = 10_000

/** How well a coordinator answers: failures in a row with the pause that they call for, and why it has nothing to do. */
export class CoordinatorHealth {
  readonly #context: MinerContext
  readonly #getName: () => CoordinatorName
  /** tries in a row that brought no session or no answer */
  #failures = 0
  /** sessions in a row that were lost soon after they were opened */
  #shortLives = 0
  #pauseMs = 0
  #lastError: CuckooError | null = null
  #lastReasons: string[] = []

  constructor(context: MinerContext, getName: () => CoordinatorName) {
    this.#context = context
    this.#getName = getName
  }

  get isWell(): boolean {
    return this.#failures === 0
  }

  /** How long to wait before the next try. Everybody whose coordinator restarts comes back at once: it has jitter. */
  get pauseMs(): number {
    return this.isWell ? 0 : this.#pauseMs
  }

  get lastError(): CuckooError | null {
    return this.#lastError
  }

  /** Why the last poll brought nothing, in the coordinator's words. */
  get lastReasons(): string[] {
    return this.#lastReasons
  }

  setWell(): void {
    this.#lastError = null
    if (this.#failures === 0) return
    this.#failures = 0
    this.#context.changed.notify()
  }

  setFailed(cause: unknown, event?: 'sessionFailed' | 'pollFailed'): void {
    const { events, timing, changed } = this.#context
    const error = toCuckooError(cause)
    this.#lastError = error
    this.#failures++
    this.#pauseMs = toRetryMs(error, this.#failures, timing.backoff)
    if (event !== undefined) events.emit({ type: event, coordinator: this.#getName(), error, retryMs: this.#pauseMs })
    changed.notify()
  }

  /** A session ended by itself after `livedMs`: those that are lost soon, one after another, count like failures. */
  setLost(cause: unknown, livedMs: number): void {
    this.#shortLives = livedMs < shortLifeMs ? this.#shortLives + 1 : 0
    this.#failures = this.#shortLives
    this.setFailed(cause)
  }

  forgetReasons(): void {
    this.#lastReasons = []
  }

  setReasons(reasons: readonly string[]): void {
    const { events, metrics, toReasonLabel } = this.#context
    const plain = toPlainReasons(reasons)
    metrics.pollsEmpty.inc({ reason: toReasonLabel(plain[0] ?? 'none given') })
    if (plain.join('\n') === this.#lastReasons.join('\n')) return
    this.#lastReasons = plain
    events.emit({ type: 'waiting', coordinator: this.#getName(), reasons: plain })
  }
}
