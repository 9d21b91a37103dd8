import { formatAmount } from '../../domain/amount.ts'
import * as errors from '../../errors/payments.ts'
import { toAddress } from '../toAddress.ts'
import type { RevertTable } from './table.ts'

export const paymentsReverts: RevertTable<'payments'> = {
  AmountZero: () => errors.amountZero({}),
  NotActing: (account, node) => errors.notActing({ account: toAddress(account), node: toAddress(node) }),
  NotCoordinator: (node) => errors.notCoordinator({ node: toAddress(node) }),
  NotMiner: (node) => errors.notMiner({ node: toAddress(node) }),
  CoverTooLow: (cover, needed) =>
    errors.coverTooLow({ coverCai: formatAmount(cover), neededCai: formatAmount(needed), missingCai: formatAmount(needed - cover) }),
  EscrowTooLow: (available, needed) =>
    errors.escrowTooLow({ availableCai: formatAmount(available), neededCai: formatAmount(needed), missingCai: formatAmount(needed - available) }),
  EscrowNotReleased: (releaseAt) => errors.escrowNotReleased({ releaseAt: Number(releaseAt) }),
  SignatureInvalid: (signer, node) => errors.signatureInvalid({ signer: toAddress(signer), node: toAddress(node) }),
  LengthMismatch: (first, second) => errors.lengthMismatch({ first, second }),
  NoNotice: (coordinator, miner) => errors.noNotice({ coordinator: toAddress(coordinator), miner: toAddress(miner) }),
  NoticeNotOver: (noticeAt) => errors.noticeNotOver({ noticeAt: Number(noticeAt) }),
  CapInvalid: (cap, lowest, highest) => errors.capInvalid({ capCai: formatAmount(cap), lowestCai: formatAmount(lowest), highestCai: formatAmount(highest) }),
  ClaimUnknown: (claimId) => errors.claimUnknown({ claimId }),
  ClaimNotReleased: (claimId, releaseAt) => errors.claimNotReleased({ claimId, releaseAt: Number(releaseAt) }),
  ClaimNotDue: (claimId, coverUntil) => errors.claimNotDue({ claimId, coverUntil: Number(coverUntil) }),
  TransferFailed: (to, amount) => errors.payoutFailed({ to: toAddress(to), amountCai: formatAmount(amount) }),
  ParameterInvalid: (name) => errors.parameterInvalid({ name }),
  // OpenZeppelin's: SafeCast and ReentrancyGuardTransient.
  SafeCastOverflowedUintDowncast: (bits, value) => errors.amountOverCapacity({ bits, value }),
  ReentrancyGuardReentrantCall: () => errors.contractBusy({}),
}
