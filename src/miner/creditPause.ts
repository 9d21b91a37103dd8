import type { SignedVoucher } from '../domain/payments.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { Credit, Pause } from './credit.ts'
import type { MinerContext } from './minerContext.ts'
import type { CoordinatorName } from './minerEvents.ts'
import { toPlainReasons } from './plainReasons.ts'

/** Whether work for a coordinator rests until it pays or raises its line, and why: told as it begins, changes and ends. */
export class CreditPause {
  readonly #context: MinerContext
  readonly #getName: () => CoordinatorName
  #current: Pause | null = null
  #reasons: string[] = []

  constructor(context: MinerContext, getName: () => CoordinatorName) {
    this.#context = context
    this.#getName = getName
  }

  get isOn(): boolean {
    return this.#current !== null
  }

  /** Our own words, then the coordinator's. */
  get reasons(): string[] {
    return this.#current === null ? [] : [this.#current.text, ...this.#reasons]
  }

  /**
   * Asks to be paid and reads the line again. When that changes nothing, says so and waits: until it is time to look again or the pause
   * is over, or a result was paid for, or `signal` aborts.
   */
  async wait(credit: Credit, askVoucher: () => Promise<{ voucher: SignedVoucher | null; reasons: string[] }>, signal: AbortSignal): Promise<void> {
    let reasons: string[]
    try {
      const answer = await askVoucher()
      reasons = toPlainReasons(answer.reasons)
      await Promise.all([credit.takeVoucher(answer.voucher), credit.readLine()])
    } catch (error) {
      if (signal.aborted) return
      reasons = [toCuckooError(error).message]
    }
    const pause = credit.findPause()
    this.#set(credit, pause, reasons)
    const timeUp = new AbortController()
    const timer = setTimeout(() => timeUp.abort(), Math.min(this.#context.refreshMs, pause?.leftMs ?? Number.POSITIVE_INFINITY))
    const until = AbortSignal.any([signal, timeUp.signal])
    while (this.isOn && !until.aborted) {
      await this.#context.changed.wait(until)
      if (credit.findPause() === null) this.#set(credit, null, [])
    }
    clearTimeout(timer)
  }

  /** The session has ended: what comes next is not known. */
  forget(): void {
    this.#current = null
  }

  #set(credit: Credit, pause: Pause | null, reasons: string[]): void {
    const { events, metrics, changed } = this.#context
    const before = this.#current
    this.#current = pause
    this.#reasons = reasons
    if (pause !== null && pause.reason !== before?.reason) {
      metrics.pauses.inc({ reason: pause.reason })
      credit.countPause(pause)
    }
    if (pause !== null && pause.text !== before?.text)
      events.emit({ type: 'paused', coordinator: this.#getName(), reason: pause.reason, text: pause.text, reasons })
    if (pause === null && before !== null) events.emit({ type: 'resumed', coordinator: this.#getName() })
    if ((pause === null) !== (before === null)) changed.notify()
  }
}
