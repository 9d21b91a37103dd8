import { formatAmount } from '../domain/amount.ts'
import { toDigest } from '../domain/eip712.ts'
import type { Address, Hash } from '../domain/hex.ts'
import { type LineRecord, type SignedVoucher, toCapInForce, toSafeCap } from '../domain/payments.ts'
import { type Assignment, voucher as voucherStructure } from '../domain/signedStructures.ts'
import type { CoordinatorPayments, OutboxEntry } from '../domain/storePorts.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import { assignmentUncovered, voucherInvalid } from '../errors/miner.ts'
import type { MinerContext } from './minerContext.ts'
import type { CoordinatorName } from './minerEvents.ts'
import type { PaymentState } from './minerState.ts'
import { PaymentRecord } from './paymentRecord.ts'
import { type UnpaidKind, UnpaidWork } from './unpaidWork.ts'

/** A voucher from the future would not count once its signer's key is replaced. */
const maxIssuedAtSkewSeconds = 60
/** A line that leaves room is read again after so long. It shrinks only one thaw after a notice, which is seen long before. */
const lineMaxAgeMs = 30_000
const redeemPauseMs = 60_000

/** Why no more is done on credit: results that are not paid for, a line that is used up, or work that was taken and not accepted. */
export interface Pause {
  reason: 'unpaid' | 'line' | 'refused'
  text: string
  /** ms after which it ends by itself; null: never */
  leftMs: number | null
}

/** What a session says about pay. */
export interface CreditTerms {
  /** who signed for the coordinator at the handshake */
  operator: Address
  /** what a unit of the dearest model pays; 0: all tasks are free */
  unitPriceWei: bigint
}

/**
 * The books with one coordinator: what it owes for results that it accepted, the newest voucher over that, and its line on chain.
 * They say whether to work on: no result more than {@link MinerContext.maxUnpaid} on credit, and nothing beyond the line.
 */
export class Credit {
  readonly #context: MinerContext
  readonly #coordinator: Address
  readonly #getName: () => CoordinatorName
  #terms: CreditTerms
  #books: CoordinatorPayments
  #line: LineRecord | null = null
  #lineError: CuckooError | null = null
  #lineReadAtMs = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | null = null
  #redeeming: Promise<void> | null = null
  #nextRedeemMs = 0
  /** highest price of the newest task that was not free */
  #taskWei = 0n
  /** highest prices of the tasks under way, by assignment */
  readonly #reserved = new Map<string, bigint>()
  #voucherError: CuckooError | null = null
  readonly #record: PaymentRecord
  readonly #unpaidWork: UnpaidWork

  private constructor(context: MinerContext, account: { coordinator: Address; getName(): CoordinatorName; terms: CreditTerms; books: CoordinatorPayments }) {
    this.#context = context
    this.#coordinator = account.coordinator
    this.#getName = account.getName
    this.#terms = account.terms
    this.#books = account.books
    this.#record = new PaymentRecord(account.books.paymentRecord, (record) => {
      context.store.keepPaymentRecord(account.coordinator, record).catch((err: unknown) => context.logger.error({ err }, 'a payment record cannot be kept'))
    })
    this.#unpaidWork = new UnpaidWork(this.#record, { maxUnpaid: context.maxUnpaid, policy: context.timing.unpaidWork })
  }

  /**
   * The books as the store has them; where there are none yet they begin with the voucher that `askVoucher` brings.
   * @throws what the store or `askVoucher` throws
   */
  static async open(
    context: MinerContext,
    account: { coordinator: Address; getName(): CoordinatorName; terms: CreditTerms },
    askVoucher: () => Promise<SignedVoucher | null>,
  ): Promise<Credit> {
    const { coordinator } = account
    const kept = await findBooks(context, coordinator)
    const credit = new Credit(context, {
      ...account,
      books: kept ?? { coordinator, owedWei: 0n, results: 0, unpaidResults: 0, voucher: null, paymentRecord: 1 },
    })
    if (kept === undefined) {
      const voucher = await askVoucher()
      const isValid = voucher !== null && credit.#isValid(voucher)
      await context.store.openAccount({ coordinator, voucher: isValid ? voucher : null })
      await credit.#reload()
    }
    await credit.readLine()
    return credit
  }

  get coordinator(): Address {
    return this.#coordinator
  }

  get paymentFactor(): number {
    return this.#record.factor
  }

  /** Work for it stops for `pause`. */
  countPause({ reason }: Pause): void {
    if (reason === 'unpaid') this.#record.addUnpaid(this.#books.unpaidResults)
    if (reason === 'line') this.#record.addLineUsed()
  }

  /** What a new session agreed on. */
  setTerms(terms: CreditTerms): void {
    this.#terms = terms
  }

  /** Why not to ask for a task now, or null. */
  findPause(): Pause | null {
    const { unpaidResults } = this.#books
    if (unpaidResults >= this.#context.maxUnpaid) return { reason: 'unpaid', text: this.#describeUnpaid(unpaidResults), leftMs: null }
    const refused = this.#unpaidWork.findPause()
    if (refused !== null) return { reason: 'refused', ...refused }
    if (this.#terms.unitPriceWei === 0n) return null
    if (this.#line === null) {
      const why = this.#lineError === null ? '' : `: ${this.#lineError.message}`
      return { reason: 'line', text: `its line for this miner has not been read from the chain${why}`, leftMs: null }
    }
    const leftWei = this.#getLeft()
    if (leftWei >= this.#getNeeded()) return null
    const text = `its line for this miner leaves ${formatAmount(leftWei < 0n ? 0n : leftWei)} CAI to earn, less than one more task may cost`
    return { reason: 'line', text, leftMs: null }
  }

  /**
   * False while results under way may use up the credit: with one that is not paid for already, each of them counts. Without,
   * they count once they are accepted, so that a miner of a coordinator that pays asks for the next task in time.
   */
  isOpen(underWay: number): boolean {
    const onCredit = this.#books.unpaidResults + this.#unpaidWork.results
    return onCredit === 0 || onCredit + underWay < this.#context.maxUnpaid
  }

  /** Sets the task's highest price aside until {@link release}. @throws CUCKOO_MINER_ASSIGNMENT_UNCOVERED when the line does not leave so much */
  reserve({ taskId, attempt, maxPriceWei }: Assignment): void {
    if (maxPriceWei === 0n) return
    this.#taskWei = maxPriceWei
    if (this.#terms.unitPriceWei === 0n) this.#terms = { ...this.#terms, unitPriceWei: 1n }
    const leftWei = this.#getLeft()
    if (maxPriceWei > leftWei) throw assignmentUncovered({ maxPriceWei, leftWei: leftWei < 0n ? 0n : leftWei })
    this.#reserved.set(`${taskId}:${attempt}`, maxPriceWei)
  }

  release({ taskId, attempt }: { taskId: Hash; attempt: number }): void {
    this.#reserved.delete(`${taskId}:${attempt}`)
  }

  /** Writes down that the coordinator accepted a result, and what it answered with. */
  async addResult({ assignmentDigest, priceWei }: OutboxEntry, voucher: SignedVoucher | null): Promise<void> {
    const { store } = this.#context
    await Promise.all([store.addOwed({ coordinator: this.#coordinator, assignmentDigest, priceWei }), this.#keep(voucher)])
    await this.#reload(priceWei > 0n)
    this.#redeemIfDue()
  }

  /** The coordinator has work of ours that it does not accept. `code`: of what it answered. */
  addUnpaidWork(kind: UnpaidKind, code: string): void {
    this.#unpaidWork.add(kind, code)
  }

  /** Keeps a voucher that is valid and newer; one that is not valid is as good as none. */
  async takeVoucher(signed: SignedVoucher | null): Promise<void> {
    if (!(await this.#keep(signed))) return
    await this.#reload()
    this.#redeemIfDue()
  }

  /** Reads the line from the chain, once at a time; a failure leaves what was known. Never throws. */
  readLine(): Promise<void> {
    this.#reading ??= this.#readLine().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  /** Reads the line again, in the background, when it was last read long ago. */
  keepLineFresh(): void {
    if (this.#terms.unitPriceWei > 0n && performance.now() - this.#lineReadAtMs > lineMaxAgeMs) void this.readLine()
  }

  /** Resolves when no transaction of it is under way any more. */
  async close(): Promise<void> {
    await this.#redeeming
  }

  getState(): PaymentState {
    const { owedWei, unpaidResults, voucher } = this.#books
    const leftWei = this.#line === null ? null : this.#getLeft()
    return {
      owedWei,
      unpaidResults,
      voucherWei: voucher?.voucher.cumulativeWei ?? 0n,
      redeemableWei: this.#getRedeemable(),
      lineLeftWei: leftWei === null ? null : leftWei < 0n ? 0n : leftWei,
    }
  }

  #describeUnpaid(results: number): string {
    const { owedWei, voucher } = this.#books
    const missingWei = owedWei - (voucher?.voucher.cumulativeWei ?? 0n)
    const why = this.#voucherError === null ? '' : ` (${this.#voucherError.message})`
    return `${results} result${results === 1 ? '' : 's'} (${formatAmount(missingWei)} CAI) accepted without a voucher: at most ${this.#context.maxUnpaid} on credit${why}`
  }

  /** What the line lets this miner earn beyond what it is owed and what its running tasks may cost, in wei. */
  #getLeft(): bigint {
    const { owedWei, voucher } = this.#books
    const voucherWei = voucher?.voucher.cumulativeWei ?? 0n
    let usedWei = owedWei > voucherWei ? owedWei : voucherWei
    for (const reservedWei of this.#reserved.values()) usedWei += reservedWei
    return (this.#line === null ? 0n : toSafeCap(this.#line)) - usedWei
  }

  #getNeeded(): bigint {
    const { unitPriceWei } = this.#terms
    return this.#taskWei > unitPriceWei ? this.#taskWei : unitPriceWei
  }

  #getRedeemable(): bigint {
    const { voucher } = this.#books
    if (voucher === null || this.#line === null) return 0n
    const capWei = toCapInForce(this.#line, this.#context.chainClock.nowMs() / 1000)
    const payableWei = voucher.voucher.cumulativeWei < capWei ? voucher.voucher.cumulativeWei : capWei
    return payableWei > this.#line.redeemedWei ? payableWei - this.#line.redeemedWei : 0n
  }

  async #keep(signed: SignedVoucher | null): Promise<boolean> {
    if (signed === null || !this.#isNewer(signed) || !this.#isValid(signed)) return false
    await this.#context.store.keepVoucher(signed)
    return true
  }

  #isNewer({ voucher }: SignedVoucher): boolean {
    const kept = this.#books.voucher?.voucher
    if (kept === undefined || voucher.cumulativeWei > kept.cumulativeWei) return true
    return voucher.cumulativeWei === kept.cumulativeWei && voucher.issuedAt > kept.issuedAt
  }

  #isValid(signed: SignedVoucher): boolean {
    const problem = this.#findVoucherProblem(signed)
    const before = this.#voucherError
    this.#voucherError = problem === null ? null : voucherInvalid({ coordinator: this.#coordinator, problem })
    if (this.#voucherError !== null && this.#voucherError.message !== before?.message) {
      this.#context.logger.warn({ err: this.#voucherError }, 'a voucher is refused')
      this.#context.events.emit({ type: 'voucherRefused', coordinator: this.#getName(), error: this.#voucherError })
    }
    return problem === null
  }

  #findVoucherProblem({ voucher, signature }: SignedVoucher): string | null {
    const { node, verifier, domainSeparator, chainClock, getNodeSet } = this.#context
    if (voucher.coordinator !== this.#coordinator) return `it names the coordinator ${voucher.coordinator}`
    if (voucher.miner !== node) return `it names the miner ${voucher.miner}`
    if (voucher.issuedAt > BigInt(Math.floor(chainClock.nowMs() / 1000) + maxIssuedAtSkewSeconds)) return `it is dated ${voucher.issuedAt}, which is to come`
    // Only the key on chain counts: one that was replaced can sign nothing new.
    const operator = getNodeSet().nodes.get(this.#coordinator)?.operator ?? this.#terms.operator
    const signer = verifier.recover(toDigest(domainSeparator, voucherStructure, voucher), signature)
    return signer === operator ? null : `it is signed by ${signer ?? 'nobody'}, not by the operator ${operator}`
  }

  /** Reads the books again; `isPriced`: results that they have more of now are not free. */
  async #reload(isPriced = false): Promise<void> {
    const next = (await findBooks(this.#context, this.#coordinator)) ?? this.#books
    const added = isPriced ? next.results - this.#books.results : 0
    const covered = Math.max(0, this.#books.unpaidResults + added - next.unpaidResults)
    this.#record.addCovered(covered)
    if (covered > 0) this.#unpaidWork.clear()
    this.#books = next
    this.#context.metrics.unpaidResults.set({ coordinator: this.#coordinator }, this.#books.unpaidResults)
  }

  async #readLine(): Promise<void> {
    this.#lineReadAtMs = performance.now()
    try {
      this.#line = await this.#context.chain.getLine(this.#coordinator, this.#context.node)
      this.#lineError = null
      this.#redeemIfDue()
    } catch (error) {
      this.#lineError = toCuckooError(error)
    }
  }

  #redeemIfDue(): void {
    const { redeemAboveWei } = this.#context
    if (redeemAboveWei === null || this.#redeeming !== null || performance.now() < this.#nextRedeemMs || this.#getRedeemable() <= redeemAboveWei) return
    this.#redeeming = this.#redeem(this.#books.voucher as SignedVoucher).finally(() => {
      this.#redeeming = null
    })
  }

  async #redeem(voucher: SignedVoucher): Promise<void> {
    const { chain, signer, events, metrics } = this.#context
    const amountWei = this.#getRedeemable()
    try {
      const { hash } = await chain.redeem(signer, { vouchers: [voucher] })
      metrics.redemptions.inc({ outcome: 'done' })
      events.emit({ type: 'redeemed', coordinator: this.#getName(), amountWei, hash })
      this.#line = await chain.getLine(this.#coordinator, this.#context.node)
    } catch (error) {
      this.#nextRedeemMs = performance.now() + redeemPauseMs
      metrics.redemptions.inc({ outcome: 'failed' })
      events.emit({ type: 'redeemFailed', coordinator: this.#getName(), error: toCuckooError(error), retryMs: redeemPauseMs })
    }
  }
}

async function findBooks({ store }: MinerContext, coordinator: Address): Promise<CoordinatorPayments | undefined> {
  return (await store.listPayments()).find((payments) => payments.coordinator === coordinator)
}
