import type { Address, Hex } from './hex.ts'
import type { Voucher } from './signedStructures.ts'

/** All that a coordinator ever owed a miner, signed by the coordinator's operator. */
export interface SignedVoucher {
  voucher: Voucher
  /** 65 bytes r ‖ s ‖ v */
  signature: Hex
}

/** A coordinator's money in the payments contract. */
export interface EscrowRecord {
  coordinator: Address
  /** all that is there, what is asked back included */
  escrowWei: bigint
  /** asked back; it still pays vouchers until withdrawn */
  thawingWei: bigint
  /** unix seconds from which `thawingWei` can be withdrawn; null: nothing is asked back */
  releaseAt: number | null
  /** sum of its lines */
  openWei: bigint
  /** claims on its bond that are neither covered nor collected */
  claimsWei: bigint
  /** active bond that must stay, for lines, claims and penalties */
  requiredBondWei: bigint
}

/** What one miner can redeem from one coordinator. */
export interface LineRecord {
  coordinator: Address
  miner: Address
  /** what vouchers may add up to, over all time */
  capWei: bigint
  /** what was paid or claimed of it, over all time */
  redeemedWei: bigint
  /** what can be redeemed now */
  lineWei: bigint
  /** the cap from `noticeAt` on; null: no notice */
  notice: { capWei: bigint; at: number } | null
}

/** What escrow lacked, waiting in the bond's thaw queue. */
export interface ClaimRecord {
  id: bigint
  coordinator: Address
  miner: Address
  amountWei: bigint
  /** what its shares of the queue are worth now: less after a slash */
  worthWei: bigint
  /** unix seconds: from then on the penalty is due */
  coverUntil: number
  /** unix seconds: from then on it can be collected */
  releaseAt: number
  penalised: boolean
}

/** The cap of `line` that holds at `now` (unix seconds), in wei: that of its notice once the notice is over. */
export function toCapInForce({ capWei, notice }: Pick<LineRecord, 'capWei' | 'notice'>, now: number): bigint {
  return notice !== null && now >= notice.at ? notice.capWei : capWei
}

/** The cap that work done from now on can count on, in wei: the lower one once there is a notice, over or not. */
export function toSafeCap({ capWei, notice }: Pick<LineRecord, 'capWei' | 'notice'>): bigint {
  return notice !== null && notice.capWei < capWei ? notice.capWei : capWei
}
