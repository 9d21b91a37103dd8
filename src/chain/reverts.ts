import { type ContractErrorArgs, type ContractErrorName, decodeErrorResult, type Hex } from 'viem'
import { formatAmount } from '../domain/amount.ts'
import * as errors from '../errors/chain.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { stakingAbi } from './contracts.generated.ts'

type ErrorName = ContractErrorName<typeof stakingAbi>
type Arguments<N extends ErrorName> = ContractErrorArgs<typeof stakingAbi, N> extends infer A extends readonly unknown[] ? A : readonly []

const roleNames = ['node without a role', 'miner', 'coordinator']

/** What each error of the contract becomes; the type asks for every one of them. */
export const revertErrors: { readonly [N in ErrorName]: (...args: Arguments<N>) => CuckooError } = {
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
  NotRegistered: (node) => errors.nodeNotRegistered({ node: node.toLowerCase() }),
  AlreadyRegistered: (node) => errors.nodeRegistered({ node: node.toLowerCase() }),
  RoleInvalid: (role) => errors.roleInvalid({ role }),
  RoleLocked: (node, previous) => errors.roleLocked({ node: node.toLowerCase(), previous: roleNames[previous] ?? String(previous) }),
  OperatorTaken: (operator, owner) => errors.operatorTaken({ operator: operator.toLowerCase(), owner: owner.toLowerCase() }),
  OperatorZero: () => errors.operatorZero({}),
  OperatorSignatureInvalid: (operator) => errors.operatorSignatureInvalid({ operator: operator.toLowerCase() }),
  SignatureExpired: (deadline, nowAt) => errors.signatureExpired({ deadline: Number(deadline), nowAt: Number(nowAt) }),
  VoterShareTooHigh: (voterShareBps) => errors.voterShareTooHigh({ voterShareBps }),
  ProfileInvalid: (field, length, maximum) => errors.profileInvalid({ field, length: Number(length), maximum: Number(maximum) }),
  ThawUnknown: (account, id) => errors.thawUnknown({ account: account.toLowerCase(), id }),
  ThawNotReleased: (id, releaseAt) => errors.thawNotReleased({ id, releaseAt: Number(releaseAt) }),
  TransferFailed: (to, amount) => errors.payoutFailed({ to: to.toLowerCase(), amountCai: formatAmount(amount) }),
  ParameterInvalid: (name) => errors.parameterInvalid({ name }),
  // OpenZeppelin's: SafeCast, ReentrancyGuardTransient and ShortStrings.
  SafeCastOverflowedUintDowncast: (bits, value) => errors.amountOverCapacity({ bits, value }),
  ReentrancyGuardReentrantCall: () => errors.contractBusy({}),
  InvalidShortString: () => errors.contractTextInvalid({}),
  StringTooLong: () => errors.contractTextInvalid({}),
}

/** The error that revert data stands for; `action` is the contract function. */
export function decodeRevert(data: Hex, action: string): CuckooError {
  try {
    const { errorName, args } = decodeErrorResult({ abi: stakingAbi, data })
    // The table's type ties each name to its arguments; TypeScript cannot follow that through a union.
    if (Object.hasOwn(revertErrors, errorName)) return (revertErrors[errorName] as (...values: unknown[]) => CuckooError)(...(args ?? []))
    return errors.callReverted({ action, reason: `${errorName}(${(args ?? []).join(', ')})` })
  } catch {
    // Data that the ABI does not know, such as that of a receiver's own error.
    return errors.callReverted({ action, reason: data === '0x' ? 'it reverts without a reason' : `it reverts with ${data.slice(0, 10)}` })
  }
}
