import { toDigest } from '../domain/eip712.ts'
import type { Address } from '../domain/hex.ts'
import type { SignedVoucher } from '../domain/payments.ts'
import type { Clock } from '../domain/ports.ts'
import { type Voucher, voucher as voucherStructure } from '../domain/signedStructures.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'

interface Account {
  owedWei: bigint
  signed: SignedVoucher | null
}

/** What the coordinator owes each miner that it knows in this run, and the newest voucher over it. */
export class Vouchers {
  readonly #ports: CoordinatorPorts
  readonly #clock: Clock
  readonly #findCap: (miner: Address) => bigint | undefined
  readonly #accounts = new Map<Address, Account>()

  /** `clock`: the chain's time; `findCap`: what vouchers to a miner may add up to now, undefined while it is not known. */
  constructor(ports: CoordinatorPorts, options: { clock: Clock; findCap(miner: Address): bigint | undefined }) {
    this.#ports = ports
    this.#clock = options.clock
    this.#findCap = options.findCap
  }

  /** Reads what `miner` is owed: after each result of it that was committed, and once before its first. */
  async refresh(miner: Address): Promise<void> {
    const owedWei = await this.#ports.store.getOwed(miner)
    const account = this.#accounts.get(miner)
    if (account === undefined) this.#accounts.set(miner, { owedWei, signed: null })
    else if (owedWei > account.owedWei) account.owedWei = owedWei
  }

  /**
   * Takes the word of a voucher of ours over the store's where it says more: a store from a backup has forgotten results, and its
   * miners would never be paid enough again to go on.
   */
  async acknowledge(miner: Address, { voucher, signature }: SignedVoucher): Promise<void> {
    const { chain, node, signer, verifier, store, logger } = this.#ports
    if (voucher.coordinator !== node || voucher.miner !== miner || voucher.cumulativeWei <= this.getOwed(miner)) return
    if (verifier.recover(toDigest(chain.domainSeparator, voucherStructure, voucher), signature) !== signer.address) return
    logger.warn(
      { miner, owedWei: this.getOwed(miner).toString(), voucherWei: voucher.cumulativeWei.toString() },
      'a miner holds a voucher over more than the store knows',
    )
    await store.raiseOwed(miner, voucher.cumulativeWei)
    await this.refresh(miner)
  }

  /** Wei owed to `miner` over all time; 0 for one that never had a session here in this run. */
  getOwed(miner: Address): bigint {
    return this.#accounts.get(miner)?.owedWei ?? 0n
  }

  /** The newest voucher, signed anew only when the sum rose: all that is owed, never more than the line lets the miner redeem. */
  find(miner: Address): SignedVoucher | null {
    const account = this.#accounts.get(miner)
    if (account === undefined) return null
    const capWei = this.#findCap(miner) ?? 0n
    const sumWei = account.owedWei < capWei ? account.owedWei : capWei
    if (sumWei > (account.signed?.voucher.cumulativeWei ?? 0n)) account.signed = this.#sign(miner, sumWei)
    return account.signed
  }

  #sign(miner: Address, cumulativeWei: bigint): SignedVoucher {
    const { chain, node, signer, metrics } = this.#ports
    const voucher: Voucher = { coordinator: node, miner, cumulativeWei, issuedAt: BigInt(Math.floor(this.#clock.nowMs() / 1000)) }
    metrics.vouchersSigned.inc()
    return { voucher, signature: signer.sign(toDigest(chain.domainSeparator, voucherStructure, voucher)) }
  }
}
