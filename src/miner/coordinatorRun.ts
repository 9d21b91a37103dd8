import type { Address } from '../domain/hex.ts'
import { coordinatorUnreachable, sessionInvalid, sessionTaken } from '../errors/api.ts'
import { isError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import { minerSessionElsewhere, minerStopped } from '../errors/miner.ts'
import { toBackoffMs, waitMs } from './backoff.ts'
import { CoordinatorHealth } from './coordinatorHealth.ts'
import { type AttachedSession, createCoordinatorLink } from './coordinatorLink.ts'
import { Credit, type CreditTerms } from './credit.ts'
import { CreditPause } from './creditPause.ts'
import type { MinerContext } from './minerContext.ts'
import type { CoordinatorName } from './minerEvents.ts'
import type { CoordinatorState } from './minerState.ts'
import { MinerTasks } from './minerTasks.ts'
import { type CoordinatorSession, closeSession, openCoordinatorSession } from './openCoordinatorSession.ts'
import type { CoordinatorTarget } from './toCoordinatorTargets.ts'

/** The model first: to make a poll keeps the thread busy that hands the task to its worker. */
const afterTaskMs = 1

/**
 * Work for one coordinator: a session kept open while there are slots for it or tasks of it, one long poll at a time that asks
 * for all free slots, and the tasks that come. It survives everything the coordinator does; `done` rejects only with
 * CUCKOO_MINER_SESSION_ELSEWHERE, when the first handshake finds another miner with our key and `isElsewhere` believes it.
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
  readonly #isElsewhere: () => boolean
  #standing: 'new' | 'accepted' | 'taken' = 'new'
  #slots = 0
  #ended = false
  #credit: Credit | null = null
  readonly #health: CoordinatorHealth
  readonly #pause: CreditPause
  /** aborted, and replaced: the poll under way ends */
  #pollCut = new AbortController()

  constructor(context: MinerContext, target: CoordinatorTarget, isElsewhere: () => boolean) {
    this.#context = context
    this.#target = target
    this.#isElsewhere = isElsewhere
    this.#health = new CoordinatorHealth(context, () => this.name)
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
    return this.#health.isWell && !this.#pause.isOn
  }

  /** `accepted` once it has given this process a session; `taken` while it says that another one has it, and never gave us one. */
  get standing(): 'new' | 'accepted' | 'taken' {
    return this.#standing
  }

  get weightWei(): bigint {
    const { node } = this.name
    return (node === null ? undefined : this.#context.getNodeSet().nodes.get(node)?.weightWei) ?? this.#target.weightWei
  }

  /** What its weight counts with: see {@link toPaymentFactor}. */
  get paymentFactor(): number {
    const { node } = this.name
    return this.#credit?.paymentFactor ?? (node === null ? undefined : this.#context.paymentFactors.get(node)) ?? 1
  }

  getState(): CoordinatorState {
    return {
      ...this.name,
      weightWei: this.weightWei,
      paymentFactor: this.paymentFactor,
      session: this.#toSessionState(),
      sessionId: this.#session?.id ?? null,
      slots: this.#slots,
      lastReasons: this.#pause.isOn ? this.#pause.reasons : this.#health.lastReasons,
      lastError: this.#health.lastError,
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

  /** Asks for no more tasks until it gets slots again; running ones end. */
  pausePolls(): void {
    this.setSlots(0)
    this.#pollCut.abort()
    this.#pollCut = new AbortController()
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
    if (!this.#health.isWell) return 'retrying'
    if (this.#pause.isOn) return 'paused'
    if (this.#session !== null) return 'open'
    return this.#slots === 0 || !this.#hasOffer() ? 'standby' : 'connecting'
  }

  #isWanted(): boolean {
    return !this.#giveUp.signal.aborted && ((!this.#quit.signal.aborted && this.#slots > 0 && this.#hasOffer()) || this.#tasks.busy)
  }

  #hasOffer(): boolean {
    return this.#context.shelf.offered.length > 0
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

  /** A session, or null when it is no longer wanted. */
  async #connect(): Promise<CoordinatorSession | null> {
    const unwanted = this.#watchUnwanted()
    let takenSinceMs: number | null = null
    try {
      while (await waitMs(this.#health.pauseMs, unwanted.signal)) {
        try {
          return await openCoordinatorSession(this.#context, this.#target, this.#context.getNodeSet, unwanted.signal)
        } catch (error) {
          if (unwanted.signal.aborted) return null
          if (isError(error, sessionTaken)) {
            takenSinceMs ??= performance.now()
            this.#assertNotElsewhere(performance.now() - takenSinceMs, error)
          }
          this.#health.setFailed(error, 'sessionFailed')
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
    if (this.#standing === 'accepted' || waitedMs < timing.sessionTakenMs) return
    this.#standing = 'taken'
    if (this.#isElsewhere()) throw minerSessionElsewhere({ operator: signer.address, url: this.#target.url, waitedMs: Math.round(waitedMs) }, { cause })
  }

  async #serve(session: CoordinatorSession): Promise<void> {
    const { events, timing } = this.#context
    this.#session = session
    this.#standing = 'accepted'
    this.#health.forgetReasons()
    this.#health.setWell()
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
      this.#health.setLost(attached.lost.reason, performance.now() - openedAtMs)
      await session.client.close()
    } else {
      this.#link.detach()
      await closeSession(session.client, AbortSignal.timeout(timing.farewellMs))
      events.emit({ type: 'sessionClosed', coordinator: name })
    }
  }

  async #work(session: CoordinatorSession, attached: AttachedSession, credit: Credit): Promise<void> {
    this.#tasks.deliverLeftovers(credit)
    void this.#tasks.reportCrashes(session.coordinator)
    while (!attached.lost.aborted && this.#isWanted()) {
      const free = this.#countFree()
      const { running, delivering } = this.#tasks.count()
      // The end of a session gives its leases away: what runs may end first, and nothing new is drawn meanwhile.
      if (session.outdated.aborted && running + delivering === 0) return
      if (session.outdated.aborted) await this.#context.changed.wait(attached.lost)
      else if (free > 0 && (this.#pause.isOn || credit.findPause() !== null)) await this.#waitForPay(session, attached, credit)
      else if (free > 0 && credit.isOpen(running + delivering)) await this.#poll(session, attached, credit)
      else await this.#context.changed.wait(AbortSignal.any([attached.lost, session.outdated]))
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
        else this.#health.setFailed(error, 'pollFailed')
        await waitMs(this.#health.pauseMs, signal)
      }
    }
    return null
  }

  async #waitForPay(session: CoordinatorSession, attached: AttachedSession, credit: Credit): Promise<void> {
    const signal = AbortSignal.any([attached.lost, session.outdated, this.#quit.signal, this.#pollCut.signal])
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
   * Slots to ask for. One is free as soon as the model is and its result on the way, so that the poll is open when the app has its answer: a miner
   * that asked only afterwards would miss the very next draw, and get less than its share. Results that do not arrive end it at twice the slots.
   */
  #countFree(): number {
    if (this.#quit.signal.aborted) return 0
    const { running, delivering } = this.#tasks.count()
    return Math.min(this.#slots - running, 2 * this.#slots - running - delivering, this.#context.engineLoad.countFree())
  }

  async #poll(session: CoordinatorSession, attached: AttachedSession, credit: Credit): Promise<void> {
    const { timing, turns } = this.#context
    const signal = AbortSignal.any([attached.lost, session.outdated, this.#quit.signal, this.#pollCut.signal])
    const startedAtMs = performance.now()
    credit.keepLineFresh()
    try {
      const body = { free: this.#countFree(), waitMs: Math.max(0, Math.min(timing.pollWaitMs, session.pollMs, Math.round(turns.getLeftMs()))) }
      const { task, reasons, voucher } = await session.client.pollTask({ body }, { signal })
      this.#health.setWell()
      if (task === null) this.#health.setReasons(reasons)
      else this.#tasks.start(task, session, credit, () => this.#listOperators(session))
      await credit.takeVoucher(voucher)
      const pauseMs = task === null ? timing.minPollMs - (performance.now() - startedAtMs) : afterTaskMs
      if (pauseMs > 0) await waitMs(pauseMs, signal)
    } catch (error) {
      if (signal.aborted) return
      if (this.#isSessionEnd(error)) return attached.lose(error)
      this.#health.setFailed(error, 'pollFailed')
      await waitMs(this.#health.pauseMs, signal)
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
}
