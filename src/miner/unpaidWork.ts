import { type BackoffPolicy, toBackoffMs } from './backoff.ts'
import type { PaymentRecord } from './paymentRecord.ts'

/**
 * What a coordinator did with work that it has and does not pay for. `refused`: a result or a stream, though its lease stood by our
 * clock. `cancelled`: the app left, it says, after output was handed over. `late`: the lease, or the deadline, had passed.
 */
export type UnpaidKind = 'refused' | 'cancelled' | 'late'

/**
 * What each counts as, in refused results: towards the pause, and in the payment record. Apps do leave, and leases are lost, where
 * everybody is honest: it takes many in a row without one paid result between them, and what came late is not held against anybody.
 */
const weights: Readonly<Record<UnpaidKind, { pause: number; record: number }>> = {
  refused: { pause: 1, record: 1 },
  cancelled: { pause: 1 / 4, record: 1 / 4 },
  late: { pause: 1 / 4, record: 0 },
}

const descriptions: Readonly<Record<UnpaidKind, string>> = {
  refused: 'refused though their lease stood',
  cancelled: 'cancelled with output handed over',
  late: 'refused as late',
}

/**
 * Work that one coordinator has without accepting it, since the last result that it paid for. As many results as may be on credit end
 * the work for it for a while; after that it gets as much as one result more, and each time that it does not pay the pause grows.
 */
export class UnpaidWork {
  readonly #maxUnpaid: number
  readonly #policy: BackoffPolicy
  readonly #record: PaymentRecord
  readonly #counts: Record<UnpaidKind, number> = { refused: 0, cancelled: 0, late: 0 }
  #results = 0
  #pauses = 0
  #pausedUntilMs = 0
  #text = ''

  constructor(record: PaymentRecord, { maxUnpaid, policy }: { maxUnpaid: number; policy: BackoffPolicy }) {
    this.#record = record
    this.#maxUnpaid = maxUnpaid
    this.#policy = policy
  }

  /** Whole results that are on credit beside those that were accepted. */
  get results(): number {
    return Math.floor(this.#results)
  }

  /** `code`: of what the coordinator answered. */
  add(kind: UnpaidKind, code: string): void {
    this.#counts[kind]++
    if (weights[kind].record > 0) this.#record.addRefused(weights[kind].record)
    // What was under way when the pause began was begun before anybody knew.
    if (this.findPause() !== null) return
    this.#results += weights[kind].pause
    if (this.#results >= this.#maxUnpaid) this.#pause(code)
  }

  /** A result was paid for. */
  clear(): void {
    Object.assign(this.#counts, { refused: 0, cancelled: 0, late: 0 })
    this.#results = 0
    this.#pauses = 0
    this.#pausedUntilMs = 0
  }

  /** Why it gets no work now, and for how many ms more, or null. */
  findPause(): { text: string; leftMs: number } | null {
    const leftMs = this.#pausedUntilMs - performance.now()
    return leftMs > 0 ? { text: this.#text, leftMs } : null
  }

  #pause(code: string): void {
    const pauseMs = toBackoffMs(this.#policy, ++this.#pauses)
    const kinds = Object.keys(descriptions) as UnpaidKind[]
    const counts = kinds.filter((kind) => this.#counts[kind] > 0).map((kind) => `${this.#counts[kind]} ${descriptions[kind]}`)
    this.#text = `results since the last paid one: ${counts.join(', ')} (${code}); tried again after ${Math.ceil(pauseMs / 1000)} s`
    this.#pausedUntilMs = performance.now() + pauseMs
    this.#results = this.#maxUnpaid - 1
  }
}
