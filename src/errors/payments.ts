import { defineError } from './cuckooError.ts'
import { defineRefusals } from './refusals.ts'

/** What the payments contract refuses: one for each error of IPayments. */
export const { notActing, signatureInvalid, payoutFailed, parameterInvalid, amountOverCapacity, contractBusy } = defineRefusals('PAYMENTS')

export const amountZero = defineError('CUCKOO_PAYMENTS_AMOUNT_ZERO', 'usage', () => ({
  message: 'The amount is zero, or there is nothing to withdraw.',
  hint: 'See what is there with `cuckoo escrow show`.',
}))
export const notCoordinator = defineError('CUCKOO_PAYMENTS_NOT_COORDINATOR', 'rejected', (f: { node: string }) => ({
  message: `${f.node} is not a registered coordinator.`,
  hint: 'See the coordinators with `cuckoo nodes --role coordinator`; register with `cuckoo register coordinator`.',
}))
export const notMiner = defineError('CUCKOO_PAYMENTS_NOT_MINER', 'rejected', (f: { node: string }) => ({
  message: `${f.node} is not a registered miner.`,
  hint: 'See the miners with `cuckoo nodes --role miner`.',
}))
export const coverTooLow = defineError('CUCKOO_PAYMENTS_COVER_TOO_LOW', 'rejected', (f: { coverCai: string; neededCai: string; missingCai: string }) => ({
  message: `The lines would need ${f.neededCai} CAI of cover, and there are ${f.coverCai} CAI.`,
  hint: `Deposit what is missing: \`cuckoo escrow deposit ${f.missingCai}\`.`,
}))
export const escrowTooLow = defineError('CUCKOO_PAYMENTS_ESCROW_TOO_LOW', 'rejected', (f: { availableCai: string; neededCai: string; missingCai: string }) => ({
  message: `${f.availableCai} CAI of escrow are there; this needs ${f.neededCai} CAI.`,
  hint: `Deposit what is missing: \`cuckoo escrow deposit ${f.missingCai}\`.`,
}))
export const escrowNotReleased = defineError('CUCKOO_PAYMENTS_ESCROW_NOT_RELEASED', 'rejected', (f: { releaseAt: number }) => ({
  message:
    f.releaseAt === 0 ? 'Nothing of the escrow is asked back.' : `What was asked back of the escrow can be withdrawn from ${f.releaseAt} (unix seconds) on.`,
  hint: '`cuckoo escrow show` tells what is asked back and when it is paid; `cuckoo escrow withdraw <amount>` asks for more.',
}))
export const lengthMismatch = defineError('CUCKOO_PAYMENTS_LENGTH_MISMATCH', 'usage', (f: { first: bigint; second: bigint }) => ({
  message: `Two lists that belong together have ${f.first} and ${f.second} entries.`,
  hint: 'Give one signature for each voucher, and one amount for each line: `cuckoo escrow raise --help`.',
}))
export const noNotice = defineError('CUCKOO_PAYMENTS_NO_NOTICE', 'rejected', (f: { coordinator: string; miner: string }) => ({
  message: `There is no notice on the line of ${f.miner} at ${f.coordinator}.`,
  hint: 'See the lines with `cuckoo escrow show`.',
}))
export const noticeNotOver = defineError('CUCKOO_PAYMENTS_NOTICE_NOT_OVER', 'rejected', (f: { noticeAt: number }) => ({
  message: `The notice on this line is over at ${f.noticeAt} (unix seconds).`,
  hint: '`cuckoo escrow show` tells when; until then vouchers are redeemed up to the old line.',
}))
export const capInvalid = defineError('CUCKOO_PAYMENTS_CAP_INVALID', 'rejected', (f: { capCai: string; lowestCai: string; highestCai: string }) => ({
  message: `A line cannot be lowered to ${f.capCai} CAI: what is redeemed is ${f.lowestCai} CAI, and the line ${f.highestCai} CAI.`,
  hint: 'Give an amount between the two; `cuckoo escrow show` has both.',
}))
export const claimUnknown = defineError('CUCKOO_PAYMENTS_CLAIM_UNKNOWN', 'rejected', (f: { claimId: bigint }) => ({
  message: `There is no open claim ${f.claimId}: it never was, or it is covered or collected.`,
  hint: 'See the open ones with `cuckoo escrow show`.',
}))
export const claimNotReleased = defineError('CUCKOO_PAYMENTS_CLAIM_NOT_RELEASED', 'rejected', (f: { claimId: bigint; releaseAt: number }) => ({
  message: `Claim ${f.claimId} can be collected from ${f.releaseAt} (unix seconds) on.`,
  hint: '`cuckoo vouchers list` shows when each claim is released.',
}))
export const claimNotDue = defineError('CUCKOO_PAYMENTS_CLAIM_NOT_DUE', 'rejected', (f: { claimId: bigint; coverUntil: number }) => ({
  message: `No penalty is due for claim ${f.claimId}: the coordinator can cover it until ${f.coverUntil} (unix seconds), or it was taken already.`,
  hint: '`cuckoo vouchers list` shows the claims and their times.',
}))
