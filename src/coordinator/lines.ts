import { formatAmount } from '../domain/amount.ts'
import type { Address } from '../domain/hex.ts'
import { type LineRecord, toCapInForce } from '../domain/payments.ts'
import type { Clock } from '../domain/ports.ts'
import { txUncertain, txUnconfirmed, walletTooLow } from '../errors/chain.ts'
import { isError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import { waitAtMost } from './waitAtMost.ts'

/** A line that is in order is read again after so long: only its owner, or notice, changes it from outside. */
const maxAgeMs = 30_000
/** Lines read from the chain at one refresh, and raised in one transaction (30,000 to 60,000 gas each). */
const maxReads = 50
const maxRaises = 50
/** After a transaction that may still be mined no other is sent for so long. */
const uncertainMs = 60_000
const closeMs = 2_000

interface KnownLine {
  record: LineRecord
  readAtMs: number
}

interface Raise {
  miner: Address
  addedWei: bigint
}

/**
 * The lines on chain of the miners that have a session: read now and then, opened and raised by the operator within escrow when
 * less than half of {@link CoordinatorConfig.lineWei} is left of one. What cannot be raised is tried again at the next refresh.
 */
export class Lines {
  readonly #ports: CoordinatorPorts
  readonly #clock: Clock
  readonly #listMiners: () => Iterable<Address>
  readonly #getOwed: (miner: Address) => bigint
  readonly #lines = new Map<Address, KnownLine>()
  #running: Promise<void> | null = null
  #isDue = false
  #nextRaiseMs = 0
  #problem: string | null = null
  #closed = false

  /** `clock`: the chain's time; `listMiners`: those that work for pay and have a session. */
  constructor(ports: CoordinatorPorts, options: { clock: Clock; listMiners(): Iterable<Address>; getOwed(miner: Address): bigint }) {
    this.#ports = ports
    this.#clock = options.clock
    this.#listMiners = options.listMiners
    this.#getOwed = options.getOwed
  }

  /** Wei that vouchers to `miner` may add up to now; undefined while its line has not been read. */
  findCap(miner: Address): bigint | undefined {
    const known = this.#lines.get(miner)
    return known === undefined ? undefined : toCapInForce(known.record, this.#clock.nowMs() / 1000)
  }

  /** Why `miner` has no line that lets it earn more, in words, or null. */
  findProblem(miner: Address): string | null {
    const capWei = this.findCap(miner)
    if (capWei === undefined) return 'no line: the coordinator has not read it from the chain yet'
    if (capWei > this.#getOwed(miner)) return null
    if (this.#lines.get(miner)?.record.notice) return 'no line: the coordinator has given notice on it'
    return `no line: ${this.#problem ?? (this.#ports.config.lineWei === 0n ? 'the coordinator opens lines by hand' : 'the coordinator is about to raise it')}`
  }

  /** Reads and raises what is due, one round at a time; called while one runs it is followed by another. Never throws. */
  update(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#isDue = true
    this.#running ??= this.#runRounds().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** Starts nothing more; waits a moment for what is under way. */
  async close(): Promise<void> {
    this.#closed = true
    await waitAtMost(this.#running, closeMs)
  }

  async #runRounds(): Promise<void> {
    while (this.#isDue && !this.#closed) {
      this.#isDue = false
      try {
        await this.#read(this.#listStale())
        if (this.#ports.config.lineWei > 0n) await this.#raise()
      } catch (error) {
        this.#ports.metrics.chainFailures.inc({ action: 'line' })
        this.#setProblem(toProblem(error), error)
      }
    }
  }

  /** Miners whose line is not known, then those whose line was read longest ago. */
  #listStale(): Address[] {
    const nowMs = this.#ports.clock.nowMs()
    const stale: { miner: Address; readAtMs: number }[] = []
    for (const miner of this.#listMiners()) {
      const { record, readAtMs } = this.#lines.get(miner) ?? { record: undefined, readAtMs: 0 }
      // One that is used up may have been raised by hand: its miner waits for it.
      const isUsedUp = record !== undefined && record.capWei <= this.#getOwed(miner)
      if (isUsedUp || nowMs - readAtMs > maxAgeMs) stale.push({ miner, readAtMs })
    }
    return stale
      .sort((a, b) => a.readAtMs - b.readAtMs)
      .slice(0, maxReads)
      .map(({ miner }) => miner)
  }

  async #read(miners: readonly Address[]): Promise<void> {
    const { chain, node, clock } = this.#ports
    const records = await Promise.all(miners.map((miner) => chain.getLine(node, miner)))
    for (const record of records) this.#lines.set(record.miner, { record, readAtMs: clock.nowMs() })
  }

  async #raise(): Promise<void> {
    const { clock, chain, node, signer, logger, metrics } = this.#ports
    if (clock.nowMs() < this.#nextRaiseMs) return
    // What is raised is decided by what the chain says now: an earlier transaction may have been mined after all.
    await this.#read(this.#listShort().map(({ miner }) => miner))
    const short = this.#listShort()
    metrics.linesShort.set(short.length)
    if (short.length === 0) return this.#setProblem(null)
    const { escrowWei, thawingWei, openWei } = await chain.getEscrow(node)
    const lines = this.#fit(short, escrowWei - thawingWei - openWei)
    if (lines.length < short.length) this.#setProblem(escrowWei === 0n ? "the coordinator's escrow is empty" : "all of the coordinator's escrow is bound")
    if (lines.length === 0) return
    await chain.raiseLines(signer, { coordinator: node, lines })
    logger.info({ lines: lines.map(({ miner, addedWei }) => ({ miner, addedCai: formatAmount(addedWei) })) }, 'lines are raised')
    await this.#read(lines.map(({ miner }) => miner))
    metrics.linesShort.set(this.#listShort().length)
    if (lines.length === short.length) this.#setProblem(null)
  }

  /** What each miner lacks that has less than half a line left to earn, the neediest first. One with a notice is let go: to raise it would withdraw the notice. */
  #listShort(): Raise[] {
    const { lineWei } = this.#ports.config
    const short: Raise[] = []
    for (const miner of this.#listMiners()) {
      const known = this.#lines.get(miner)
      if (known === undefined || known.record.notice !== null) continue
      const leftWei = known.record.capWei - this.#getOwed(miner)
      if (leftWei < lineWei / 2n) short.push({ miner, addedWei: lineWei - leftWei })
    }
    return short.sort((a, b) => (a.addedWei > b.addedWei ? -1 : a.addedWei < b.addedWei ? 1 : 0)).slice(0, maxRaises)
  }

  /** What of `short` fits into `roomWei`, which is escrow that is not asked back less all lines; the last one gets what is left, unless that is next to nothing. */
  #fit(short: readonly Raise[], roomWei: bigint): Raise[] {
    const lines: Raise[] = []
    let leftWei = roomWei
    for (const { miner, addedWei } of short) {
      const fittingWei = addedWei < leftWei ? addedWei : leftWei
      if (fittingWei <= 0n || fittingWei < this.#ports.config.lineWei / 10n) break
      lines.push({ miner, addedWei: fittingWei })
      leftWei -= fittingWei
    }
    return lines
  }

  #setProblem(problem: string | null, cause?: unknown): void {
    if (isError(cause, txUnconfirmed) || isError(cause, txUncertain)) this.#nextRaiseMs = this.#ports.clock.nowMs() + uncertainMs
    if (problem === this.#problem || this.#closed) return
    this.#problem = problem
    if (problem === null) this.#ports.logger.info({}, 'miners have their lines again')
    else this.#ports.logger.warn(cause === undefined ? { problem } : { problem, err: toCuckooError(cause) }, 'miners cannot get their lines; tried again')
  }
}

function toProblem(cause: unknown): string {
  if (isError(cause, walletTooLow)) return "the coordinator's operator has no CAI for gas"
  return `the chain did not take it (${toCuckooError(cause).message})`
}
