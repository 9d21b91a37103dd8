import type { Address } from '../domain/hex.ts'
import { coordinatorUnreachable, sessionInvalid, sessionTaken } from '../errors/api.ts'
import { type CuckooError, isError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import { minerSessionElsewhere, minerStopped } from '../errors/miner.ts'
import { toBackoffMs, waitMs } from './backoff.ts'
import { type AttachedSession, createCoordinatorLink } from './coordinatorLink.ts'
import { Credit, type CreditTerms } from './credit.ts'
import { CreditPause } from './creditPause.ts'
import type { MinerContext } from './minerContext.ts'
import type { CoordinatorName } from './minerEvents.ts'
import type { CoordinatorState } from './minerState.ts'
import { MinerTasks } from './minerTasks.ts'
import { type CoordinatorSession, closeSession, openCoordinatorSession } from './openCoordinatorSession.ts'
import { toPlainReasons } from './plainReasons.ts'
import { toRetryMs } from './retry.ts'
import type { CoordinatorTarget } from './toCoordinatorTargets.ts'

/** A session that is lost sooner than this is no reason to try the next one at once. */
const shortLifeMs = 10_000

/**
 * Work for one coordinator: a session kept open while there are slots for it or tasks of it, one long poll at a time that asks
 * for all free slots, and the tasks that come. It survives everything the coordinator does; `done` rejects only with
 * CUCKOO_MINER_SESSION_ELSEWHERE, when the first handshake finds another miner with our key.
 */
export class CoordinatorRun {
  readonly done: Promise<void>
  readonly #context: MinerContext
  readonly #link = createCoordinatorLink((error) => this.#isSessionEnd(error))
  readonly #tasks: MinerTasks
  /** aborted: no more polls */
  readonly #quit = new AbortController()
  /** aborted: tasks end, and the session with them */
  readonly #giveUp = new AbortController()
  #target: CoordinatorTarget
  #session: CoordinatorSession | null = null
  #wasOurs = false
  #slots = 0
  #ended = false
  /** tries in a row that brought no session or no answer */
  #failures = 0
  /** sessions in a row that were lost soon after they were opened */
  #shortLives = 0
  #pauseMs = 0
  #lastError: CuckooError | null = null
  #lastReasons: string[] = []
  #credit: Credit | null = null
  readonly #pause: CreditPause

  constructor(context: MinerContext, target: CoordinatorTarget) {
    this.#context = context
    this.#target = target
    this.#pause = new CreditPause(context, () => this.name)
    this.#tasks = new MinerTasks(context, this.#link, () => this.name, this.#giveUp.signal)
    this.done = this.#run().finally(() => {
      this.#ended = true
      context.changed.notify()
    })
  }

  get name(): CoordinatorName {
    return { url: this.#target.url, node: this.#session?.coordinator ?? this.#target.node }
  }

  /** False while the coordinator does not answer well, or does not pay: its slots may go to others. */
  get reachable(): boolean {
    return this.#failures === 0 && !this.#pause.isOn
  }

  get weightWei(): bigint {
    const { node } = this.name
    return (node === null ? undefined : this.#context.getNodeSet().nodes.get(node)?.weightWei) ?? this.#target.weightWei
  }

  getState(): CoordinatorState {
    return {
      ...this.name,
      weightWei: this.weightWei,
      session: this.#toSessionState(),
      sessionId: this.#session?.id ?? null,
      slots: this.#slots,
      lastReasons: this.#pause.isOn ? this.#pause.reasons : this.#lastReasons,
      lastError: this.#lastError,
      ...this.#tasks.totals,
      payments: this.#credit?.getState() ?? null,
      tasks: this.#tasks.listTasks(),
    }
  }

  /** A new URL counts from the next handshake on. */
  setTarget(target: CoordinatorTarget): void {
    this.#target = target
  }

  setSlots(slots: number): void {
    if (slots === this.#slots) return
    this.#slots = slots
    this.#context.changed.notify()
  }

  /** Takes no more tasks, lets running ones end and their results arrive for `graceMs`, then stops. */
  async drain(graceMs: number): Promise<void> {
    this.#quit.abort()
    this.#context.changed.notify()
    const timer = setTimeout(() => void this.stop(), Math.min(graceMs, 2 ** 31 - 1))
    await this.done.catch(() => undefined)
    clearTimeout(timer)
  }

  /** Ends the session at once, which gives its leases to others without blame, and running tasks with it. */
  async stop(): Promise<void> {
    this.#quit.abort()
    this.#giveUp.abort(minerStopped({}))
    this.#context.changed.notify()
    await this.done.catch(() => undefined)
  }

  #toSessionState(): CoordinatorState['session'] {
    if (this.#ended) return 'ended'
    if (this.#quit.signal.aborted) return 'draining'
    if (this.#failures > 0) return 'retrying'
    if (this.#pause.isOn) return 'paused'
    if (this.#session !== null) return 'open'
    return this.#slots === 0 ? 'standby' : 'connecting'
  }

  #isWanted(): boolean {
    return !this.#giveUp.signal.aborted && ((!this.#quit.signal.aborted && this.#slots > 0) || this.#tasks.busy)
  }

  async #run(): Promise<void> {
    while (!this.#quit.signal.aborted || this.#isWanted()) {
      if (!this.#isWanted()) {
        await this.#context.changed.wait(this.#quit.signal)
        continue
      }
      const session = await this.#connect()
      if (session !== null) await this.#serve(session)
    }
    while (this.#tasks.busy) await this.#context.changed.wait()
    await this.#credit?.close()
  }

  /** A session, or null when it is no longer wanted. Everybody whose coordinator restarts comes back at once: jitter before each new try. */
  async #connect(): Promise<CoordinatorSession | null> {
    const unwanted = this.#watchUnwanted()
    let takenSinceMs: number | null = null
    try {
      while (await waitMs(this.#failures === 0 ? 0 : this.#pauseMs, unwanted.signal)) {
        try {
          return await openCoordinatorSession(this.#context, this.#target, this.#context.getNodeSet, unwanted.signal)
        } catch (error) {
          if (unwanted.signal.aborted) return null
          if (isError(error, sessionTaken)) {
            takenSinceMs ??= performance.now()
            this.#assertNotElsewhere(performance.now() - takenSinceMs, error)
          }
          this.#setFailed(error, 'sessionFailed')
        }
      }
      return null
    } finally {
      unwanted.abort()
    }
  }

  /** A controller that aborts once this coordinator is not wanted any more. Abort it to end the watch. */
  #watchUnwanted(): AbortController {
    const unwanted = new AbortController()
    const watch = async () => {
      while (!unwanted.signal.aborted) {
        if (!this.#isWanted()) return unwanted.abort()
        await this.#context.changed.wait(unwanted.signal)
      }
    }
    void watch()
    return unwanted
  }

  #assertNotElsewhere(waitedMs: number, cause: unknown): void {
    const { signer, timing } = this.#context
    if (this.#wasOurs || waitedMs < timing.sessionTakenMs) return
    throw minerSessionElsewhere({ operator: signer.address, url: this.#target.url, waitedMs: Math.round(waitedMs) }, { cause })
  }

  async #serve(session: CoordinatorSession): Promise<void> {
    const { events, timing } = this.#context
    this.#session = session
    this.#wasOurs = true
    this.#lastReasons = []
    this.#setWell()
    const openedAtMs = performance.now()
    const attached = this.#link.attach(session.client)
    const name = this.name
    events.emit({ type: 'sessionOpened', coordinator: name, sessionId: session.id, slots: this.#slots, refused: session.refused })
    const credit = await this.#openCredit(session, attached)
    if (credit !== null) await this.#work(session, attached, credit)
    this.#session = null
    this.#pause.forget()
    if (attached.lost.aborted) {
      events.emit({ type: 'sessionLost', coordinator: name, error: toCuckooError(attached.lost.reason) })
      this.#shortLives = performance.now() - openedAtMs < shortLifeMs ? this.#shortLives + 1 : 0
      this.#failures = this.#shortLives
      this.#setFailed(attached.lost.reason)
      await session.client.close()
    } else {
      this.#link.detach()
      await closeSession(session.client, AbortSignal.timeout(timing.farewellMs))
      events.emit({ type: 'sessionClosed', coordinator: name })
    }
  }

  async #work(session: CoordinatorSession, attached: AttachedSession, credit: Credit): Promise<void> {
    this.#tasks.deliverLeftovers(credit)
    while (!attached.lost.aborted && this.#isWanted()) {
      const free = this.#countFree()
      const { running, delivering } = this.#tasks.count()
      if (free > 0 && credit.findPause() !== null) await this.#waitForPay(session, attached, credit)
      else if (free > 0 && credit.isOpen(running + delivering)) await this.#poll(session, attached, credit)
      else await this.#context.changed.wait(attached.lost)
    }
  }

  /** The books with the session's coordinator; null when the session ended before they could be opened. */
  async #openCredit(session: CoordinatorSession, attached: AttachedSession): Promise<Credit | null> {
    const terms: CreditTerms = { operator: session.operator, unitPriceWei: session.unitPriceWei }
    const { coordinator } = session
    const signal = AbortSignal.any([attached.lost, this.#giveUp.signal])
    while (!attached.lost.aborted && this.#isWanted()) {
      try {
        if (this.#credit?.coordinator === coordinator) this.#credit.setTerms(terms)
        else
          this.#credit = await Credit.open(
            this.#context,
            { coordinator, getName: () => this.name, terms },
            async () => (await session.client.getVoucher({}, { signal })).voucher,
          )
        return this.#credit
      } catch (error) {
        if (signal.aborted) return null
        if (this.#isSessionEnd(error)) attached.lose(error)
        else this.#setFailed(error, 'pollFailed')
        await waitMs(this.#pauseMs, signal)
      }
    }
    return null
  }

  async #waitForPay(session: CoordinatorSession, attached: AttachedSession, credit: Credit): Promise<void> {
    const signal = AbortSignal.any([attached.lost, this.#quit.signal])
    const askVoucher = async () => {
      try {
        return await session.client.getVoucher({}, { signal })
      } catch (error) {
        if (this.#isSessionEnd(error)) attached.lose(error)
        throw error
      }
    }
    await this.#pause.wait(credit, askVoucher, signal)
  }

  /**
   * Slots to ask for. One is free as soon as the model is, so that the poll is open before the result has arrived: a miner that
   * asked only afterwards would miss the very next draw, and get less than its share. Results that do not arrive end it at twice the slots.
   */
  #countFree(): number {
    if (this.#quit.signal.aborted) return 0
    const { running, delivering } = this.#tasks.count()
    return Math.min(this.#slots - running, 2 * this.#slots - running - delivering, this.#context.slots - this.#context.engineLoad.running)
  }

  async #poll(session: CoordinatorSession, attached: AttachedSession, credit: Credit): Promise<void> {
    const { timing } = this.#context
    const signal = AbortSignal.any([attached.lost, this.#quit.signal])
    const startedAtMs = performance.now()
    credit.keepLineFresh()
    try {
      const body = { free: this.#countFree(), waitMs: Math.max(0, Math.min(timing.pollWaitMs, session.pollMs)) }
      const { task, reasons, voucher } = await session.client.pollTask({ body }, { signal })
      this.#setWell()
      if (task === null) this.#setReasons(reasons)
      else this.#tasks.start(task, session, credit, () => this.#listOperators(session))
      await credit.takeVoucher(voucher)
      const pauseMs = task === null ? timing.minPollMs - (performance.now() - startedAtMs) : 0
      if (pauseMs > 0) await waitMs(pauseMs, signal)
    } catch (error) {
      if (signal.aborted) return
      if (this.#isSessionEnd(error)) return attached.lose(error)
      this.#setFailed(error, 'pollFailed')
      await waitMs(this.#pauseMs, signal)
    }
    if (this.#tasks.setbacks > 0) await waitMs(toBackoffMs(timing.backoff, this.#tasks.setbacks), signal)
  }

  /** Its coordinator does not know it, or has moved to another URL and is not where the session was opened. */
  #isSessionEnd(error: unknown): boolean {
    return isError(error, sessionInvalid) || (isError(error, coordinatorUnreachable) && this.#session?.url !== this.#target.url)
  }

  #listOperators(session: CoordinatorSession): readonly Address[] {
    const onChain = this.#context.getNodeSet().nodes.get(session.coordinator)?.operator
    return onChain === undefined ? [session.operator] : [session.operator, onChain]
  }

  #setWell(): void {
    this.#lastError = null
    if (this.#failures === 0) return
    this.#failures = 0
    this.#context.changed.notify()
  }

  #setFailed(cause: unknown, event?: 'sessionFailed' | 'pollFailed'): void {
    const error = toCuckooError(cause)
    this.#lastError = error
    this.#failures++
    this.#pauseMs = toRetryMs(error, this.#failures, this.#context.timing.backoff)
    if (event !== undefined) this.#context.events.emit({ type: event, coordinator: this.name, error, retryMs: this.#pauseMs })
    this.#context.changed.notify()
  }

  #setReasons(reasons: readonly string[]): void {
    const { events, metrics, toReasonLabel } = this.#context
    const plain = toPlainReasons(reasons)
    metrics.pollsEmpty.inc({ reason: toReasonLabel(plain[0] ?? 'none given') })
    if (plain.join('\n') === this.#lastReasons.join('\n')) return
    this.#lastReasons = plain
    events.emit({ type: 'waiting', coordinator: this.name, reasons: plain })
  }
}
