import { defineError } from './cuckooError.ts'
import { defineRefusals } from './refusals.ts'

/** What the staking contract refuses: one for each error of IStaking, IRewards and IStakingHooks. */
export const { notActing, payoutFailed, parameterInvalid, amountOverCapacity, contractBusy } = defineRefusals('STAKING')
export const amountZero = defineError('CUCKOO_STAKING_AMOUNT_ZERO', 'usage', () => ({
  message: 'The amount is zero.',
  hint: 'Give an amount above 0.',
}))
export const freeTooLow = defineError('CUCKOO_STAKING_FREE_TOO_LOW', 'rejected', (f: { availableCai: string; neededCai: string; missingCai: string }) => ({
  message: `${f.availableCai} CAI are free in the contract; this needs ${f.neededCai} CAI.`,
  hint: `Stake what is missing: \`cuckoo stake ${f.missingCai}\`.`,
}))
export const bondInsufficient = defineError('CUCKOO_STAKING_BOND_INSUFFICIENT', 'rejected', (f: { availableCai: string; neededCai: string }) => ({
  message: `The bond is ${f.availableCai} CAI; ${f.neededCai} CAI cannot be taken out of it.`,
  hint: `At most \`cuckoo unbond ${f.availableCai}\` is possible.`,
}))
export const sharesInsufficient = defineError('CUCKOO_STAKING_SHARES_INSUFFICIENT', 'rejected', (f: { available: bigint; needed: bigint }) => ({
  message: `The account holds ${f.available} shares of this node's votes, not ${f.needed}.`,
  hint: 'See the votes with `cuckoo status`; `cuckoo unvote <node> all` takes out everything.',
}))
export const bondTooLow = defineError('CUCKOO_STAKING_BOND_TOO_LOW', 'rejected', (f: { bondCai: string; thresholdCai: string }) => ({
  message: `A bond of ${f.bondCai} CAI is not enough: it must be more than ${f.thresholdCai} CAI.`,
  hint: `Stake and bond more than ${f.thresholdCai} CAI; exactly that much is not enough.`,
}))
export const voteTooSmall = defineError('CUCKOO_STAKING_VOTE_TOO_SMALL', 'rejected', (f: { amountCai: string; minimumCai: string }) => ({
  message: `A vote of ${f.amountCai} CAI is below the minimum of ${f.minimumCai} CAI, which also holds for what remains.`,
  hint: `Vote at least ${f.minimumCai} CAI, or take everything out with \`cuckoo unvote <node> all\`.`,
}))
export const votesOverLimit = defineError('CUCKOO_STAKING_VOTES_OVER_LIMIT', 'rejected', (f: { votesCai: string; limitCai: string }) => ({
  message: `The node would have ${f.votesCai} CAI of votes; its bond allows ${f.limitCai} CAI.`,
  hint: 'Vote less, or for another node: `cuckoo nodes`.',
}))
export const sharesSlipped = defineError('CUCKOO_STAKING_SHARES_SLIPPED', 'rejected', (f: { shares: bigint; minShares: bigint }) => ({
  message: `The vote would give ${f.shares} shares, fewer than the ${f.minShares} asked for.`,
  hint: "The pool's price has moved: try again.",
}))
export const amountSlipped = defineError('CUCKOO_STAKING_AMOUNT_SLIPPED', 'rejected', (f: { amountCai: string; minAmountCai: string }) => ({
  message: `The votes are worth ${f.amountCai} CAI, less than the ${f.minAmountCai} CAI asked for.`,
  hint: 'The node may have been slashed: look with `cuckoo nodes`, then try again.',
}))
export const nodeNotRegistered = defineError('CUCKOO_STAKING_NOT_REGISTERED', 'rejected', (f: { node: string }) => ({
  message: `${f.node} is not a registered node.`,
  hint: 'See the nodes with `cuckoo nodes`; register with `cuckoo register miner` or `cuckoo register coordinator`.',
}))
export const nodeRegistered = defineError('CUCKOO_STAKING_ALREADY_REGISTERED', 'rejected', (f: { node: string }) => ({
  message: `${f.node} is registered already.`,
  hint: 'See it with `cuckoo node show`; add to its bond with `cuckoo bond <amount>`.',
}))
export const roleInvalid = defineError('CUCKOO_STAKING_ROLE_INVALID', 'usage', (f: { role: number }) => ({
  message: `${f.role} is not a role.`,
  hint: 'A node is a miner or a coordinator.',
}))
export const roleLocked = defineError('CUCKOO_STAKING_ROLE_LOCKED', 'rejected', (f: { node: string; previous: string }) => ({
  message: `${f.node} was a ${f.previous} and still has votes, or bond that counts in this epoch.`,
  hint: `Register as ${f.previous} again, wait an epoch and for the votes to leave, or use another account.`,
}))
export const operatorTaken = defineError('CUCKOO_STAKING_OPERATOR_TAKEN', 'rejected', (f: { operator: string; owner: string }) => ({
  message: `The operator key ${f.operator} belongs to the node ${f.owner} for ever.`,
  hint: 'Make a new operator key with `cuckoo account new <name>`.',
}))
export const operatorZero = defineError('CUCKOO_STAKING_OPERATOR_ZERO', 'usage', () => ({
  message: 'The operator is the zero address.',
  hint: 'Give the address of the key that the node runs with: --operator <account>.',
}))
export const operatorSignatureInvalid = defineError('CUCKOO_STAKING_OPERATOR_SIGNATURE_INVALID', 'denied', (f: { operator: string }) => ({
  message: `The operator ${f.operator} has not signed this registration.`,
  hint: 'Sign it again with `cuckoo node sign-operator`: owner, role, nonce, deadline, chain and contract must be the same.',
}))
export const signatureExpired = defineError('CUCKOO_STAKING_SIGNATURE_EXPIRED', 'denied', (f: { deadline: number; nowAt: number }) => ({
  message: `The operator's signature was good until ${f.deadline}; the chain's time is ${f.nowAt} (unix seconds).`,
  hint: 'Sign again with `cuckoo node sign-operator`.',
}))
export const voterShareTooHigh = defineError('CUCKOO_STAKING_VOTER_SHARE_TOO_HIGH', 'usage', (f: { voterShareBps: number }) => ({
  message: `A voter share of ${f.voterShareBps} basis points is over 10000 (100 %).`,
  hint: 'Give 0 to 10000 basis points.',
}))
export const profileInvalid = defineError('CUCKOO_STAKING_PROFILE_INVALID', 'usage', (f: { field: string; length: number; maximum: number }) => ({
  message: `The profile's ${f.field} has ${f.length} bytes; ${f.field === 'name' ? '1' : '0'} to ${f.maximum} are allowed.`,
  hint: `Shorten or give the ${f.field}.`,
}))
export const thawUnknown = defineError('CUCKOO_STAKING_THAW_UNKNOWN', 'rejected', (f: { account: string; id: bigint }) => ({
  message: `${f.account} has no exit ${f.id} under way: it never was, or it has been withdrawn.`,
  hint: 'See the exits under way with `cuckoo status`.',
}))
export const thawNotReleased = defineError('CUCKOO_STAKING_THAW_NOT_RELEASED', 'rejected', (f: { id: bigint; releaseAt: number }) => ({
  message: `Exit ${f.id} can be withdrawn from ${f.releaseAt} (unix seconds) on.`,
  hint: '`cuckoo status` shows when each exit is released.',
}))
export const exitFrozen = defineError('CUCKOO_STAKING_EXIT_FROZEN', 'rejected', (f: { id: bigint; until: number }) => ({
  message: `All of exit ${f.id} is held for open disputes on the node, until ${f.until} (unix seconds) at most.`,
  hint: '`cuckoo status` shows the open disputes; the exit can be withdrawn when they are closed.',
}))
export const stillJailed = defineError('CUCKOO_STAKING_STILL_JAILED', 'rejected', (f: { until: number }) => ({
  message: `The node is jailed until ${f.until} (unix seconds).`,
  hint: 'From then on `cuckoo node rejoin` makes it active again; `cuckoo status` shows why it was jailed.',
}))
export const stillSuspended = defineError('CUCKOO_STAKING_STILL_SUSPENDED', 'rejected', () => ({
  message: 'The coordinator is suspended: it has not revealed the secret of a draw epoch that is over.',
  hint: 'Run `cuckoo coordinator serve`: it reveals what is owed, and the node is active again.',
}))
export const callerInvalid = defineError('CUCKOO_STAKING_CALLER_INVALID', 'denied', (f: { caller: string }) => ({
  message: `${f.caller} may not do this to stake: only the other contracts of the network may.`,
  hint: 'What an account can do is listed by `cuckoo --help`.',
}))
export const bondCommitted = defineError('CUCKOO_STAKING_BOND_COMMITTED', 'rejected', (f: { remainingCai: string; requiredCai: string }) => ({
  message: `${f.remainingCai} CAI of bond would remain; the coordinator's lines and claims need ${f.requiredCai} CAI.`,
  hint: 'See them with `cuckoo escrow show`; fund the lines with `cuckoo escrow deposit <amount>`, or lower them with `cuckoo escrow notice`.',
}))
