/** One result weighs so much in the record: after eight of one kind a third is left of what was before. */
const step = 1 / 8
/** A coordinator that never pays keeps so much of its weight: it is paused anyway, and may mend its ways. */
const lowestFactor = 0.25

/**
 * The record after `paid` results that were covered by a voucher before work had to stop for them, and `late` ones for which it
 * had to stop: record ← record + (x − record) / 8 for each, x = 1 for a paid and 0 for a late one. It starts at 1.
 *
 * @example toPaymentRecord(1, { late: 2 }) // 0.765625
 */
export function toPaymentRecord(record: number, { paid = 0, late = 0 }: { paid?: number; late?: number }): number {
  const afterPaid = 1 - (1 - record) * (1 - step) ** paid
  return afterPaid * (1 - step) ** late
}

/**
 * What a coordinator's weight counts with when slots are spread: 0.25 + 0.75 × record, so 1 for one that is new or pays in time.
 * @example toPaymentFactor(0.765625) // 0.82421875
 */
export function toPaymentFactor(record: number): number {
  return lowestFactor + (1 - lowestFactor) * record
}

/** How one coordinator pays, kept as it changes. */
export class PaymentRecord {
  readonly #keep: (record: number) => void
  #value: number
  /** results without a voucher that have been counted as late already: those that are covered first */
  #late = 0

  /** `keep` gets each new value. */
  constructor(value: number, keep: (record: number) => void) {
    this.#value = value
    this.#keep = keep
  }

  /** See {@link toPaymentFactor}. */
  get factor(): number {
    return toPaymentFactor(this.#value)
  }

  /** `results` without a voucher have been covered. */
  addCovered(results: number): void {
    const paid = Math.max(0, results - this.#late)
    this.#late = Math.max(0, this.#late - results)
    if (paid > 0) this.#set(toPaymentRecord(this.#value, { paid }))
  }

  /** Work stopped for want of vouchers over `results`: each counts as late once, however often it stops for it. */
  addUnpaid(results: number): void {
    const late = Math.max(0, results - this.#late)
    this.#late += late
    if (late > 0) this.#set(toPaymentRecord(this.#value, { late }))
  }

  /** Work that it has was not accepted: as much as `results`, which may be a part of one. */
  addRefused(results: number): void {
    this.#set(toPaymentRecord(this.#value, { late: results }))
  }

  /** Work stopped because the line leaves nothing to earn. */
  addLineUsed(): void {
    this.#set(toPaymentRecord(this.#value, { late: 1 }))
  }

  #set(value: number): void {
    this.#value = value
    this.#keep(value)
  }
}
