import { formatAmount } from '../../domain/amount.ts'
import * as errors from '../../errors/staking.ts'
import { toAddress } from '../toAddress.ts'
import type { RevertTable } from './table.ts'

const roleNames = ['node without a role', 'miner', 'coordinator']

export const stakingReverts: RevertTable<'staking'> = {
  AmountZero: () => errors.amountZero({}),
  InsufficientFree: (available, needed) =>
    errors.freeTooLow({ availableCai: formatAmount(available), neededCai: formatAmount(needed), missingCai: formatAmount(needed - available) }),
  InsufficientBond: (available, needed) => errors.bondInsufficient({ availableCai: formatAmount(available), neededCai: formatAmount(needed) }),
  InsufficientShares: (available, needed) => errors.sharesInsufficient({ available, needed }),
  BondTooLow: (bond, threshold) => errors.bondTooLow({ bondCai: formatAmount(bond), thresholdCai: formatAmount(threshold) }),
  VoteTooSmall: (amount, minimum) => errors.voteTooSmall({ amountCai: formatAmount(amount), minimumCai: formatAmount(minimum) }),
  VotesOverLimit: (votes, limit) => errors.votesOverLimit({ votesCai: formatAmount(votes), limitCai: formatAmount(limit) }),
  SlippageShares: (shares, minShares) => errors.sharesSlipped({ shares, minShares }),
  SlippageAmount: (amount, minAmount) => errors.amountSlipped({ amountCai: formatAmount(amount), minAmountCai: formatAmount(minAmount) }),
  NotRegistered: (node) => errors.nodeNotRegistered({ node: toAddress(node) }),
  AlreadyRegistered: (node) => errors.nodeRegistered({ node: toAddress(node) }),
  RoleInvalid: (role) => errors.roleInvalid({ role }),
  RoleLocked: (node, previous) => errors.roleLocked({ node: toAddress(node), previous: roleNames[previous] ?? String(previous) }),
  OperatorTaken: (operator, owner) => errors.operatorTaken({ operator: toAddress(operator), owner: toAddress(owner) }),
  OperatorZero: () => errors.operatorZero({}),
  OperatorSignatureInvalid: (operator) => errors.operatorSignatureInvalid({ operator: toAddress(operator) }),
  SignatureExpired: (deadline, nowAt) => errors.signatureExpired({ deadline: Number(deadline), nowAt: Number(nowAt) }),
  VoterShareTooHigh: (voterShareBps) => errors.voterShareTooHigh({ voterShareBps }),
  ProfileInvalid: (field, length, maximum) => errors.profileInvalid({ field, length: Number(length), maximum: Number(maximum) }),
  ThawUnknown: (account, id) => errors.thawUnknown({ account: toAddress(account), id }),
  ThawNotReleased: (id, releaseAt) => errors.thawNotReleased({ id, releaseAt: Number(releaseAt) }),
  ExitFrozen: (id, until) => errors.exitFrozen({ id, until: Number(until) }),
  NotActing: (account, node) => errors.notActing({ account: toAddress(account), node: toAddress(node) }),
  StillJailed: (until) => errors.stillJailed({ until: Number(until) }),
  StillSuspended: () => errors.stillSuspended({}),
  CallerInvalid: (caller) => errors.callerInvalid({ caller: toAddress(caller) }),
  BondCommitted: (remaining, required) => errors.bondCommitted({ remainingCai: formatAmount(remaining), requiredCai: formatAmount(required) }),
  TransferFailed: (to, amount) => errors.payoutFailed({ to: toAddress(to), amountCai: formatAmount(amount) }),
  ParameterInvalid: (name) => errors.parameterInvalid({ name }),
  // OpenZeppelin's: SafeCast and ReentrancyGuardTransient.
  SafeCastOverflowedUintDowncast: (bits, value) => errors.amountOverCapacity({ bits, value }),
  ReentrancyGuardReentrantCall: () => errors.contractBusy({}),
}
