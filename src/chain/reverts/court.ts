import { formatAmount } from '../../domain/amount.ts'
import { stages, voteNumbers } from '../../domain/dispute.ts'
import * as errors from '../../errors/court.ts'
import { toAddress } from '../toAddress.ts'
import type { RevertTable } from './table.ts'

const voteNames = Object.keys(voteNumbers)

export const courtReverts: RevertTable<'court'> = {
  SignatureInvalid: (signer, node) => errors.signatureInvalid({ signer: toAddress(signer), node: toAddress(node) }),
  NotEvidence: (reason) => errors.notEvidence({ reason }),
  EvidenceExpired: (expiredAt) => errors.evidenceExpired({ expiredAt: Number(expiredAt) }),
  EvidenceTooLarge: (bytes, maximumBytes) => errors.evidenceTooLarge({ bytes, maximumBytes }),
  HashMismatch: (field) => errors.hashMismatch({ field }),
  Consumed: (key) => errors.evidenceConsumed({ key }),
  AlreadyOpen: (key, caseId) => errors.disputeOpen({ key, caseId }),
  NothingAtRisk: (node) => errors.nothingAtRisk({ node: toAddress(node) }),
  BondTooLow: (sent, needed) => errors.courtBondTooLow({ sentCai: formatAmount(sent), neededCai: formatAmount(needed) }),
  CaseUnknown: (caseId) => errors.caseUnknown({ caseId }),
  StageInvalid: (caseId, stage) => errors.stageInvalid({ caseId, stage: stages[stage] ?? String(stage) }),
  SideStands: (caseId, side) => errors.sideStands({ caseId, side: voteNames[side] ?? String(side) }),
  NotActing: (account, node) => errors.notActing({ account: toAddress(account), node: toAddress(node) }),
  NoSeat: (caseId, round, node) => errors.noSeat({ caseId, round, node: toAddress(node) }),
  AlreadyCommitted: (caseId, node) => errors.voteCommitted({ caseId, node: toAddress(node) }),
  CommitmentInvalid: (caseId, node) => errors.commitmentInvalid({ caseId, node: toAddress(node) }),
  NotFinable: (caseId, round, node) => errors.notFinable({ caseId, round, node: toAddress(node) }),
  NotPayable: (caseId, round, node) => errors.notPayable({ caseId, round, node: toAddress(node) }),
  CreditNotReleased: (caseId, releaseAt) => errors.creditNotReleased({ caseId, releaseAt: Number(releaseAt) }),
  NothingToWithdraw: (account) => errors.nothingToWithdraw({ account: toAddress(account) }),
  CallerInvalid: (caller) => errors.payerInvalid({ caller: toAddress(caller) }),
  TransferFailed: (to, amount) => errors.payoutFailed({ to: toAddress(to), amountCai: formatAmount(amount) }),
  ParameterInvalid: (name) => errors.parameterInvalid({ name }),
  // OpenZeppelin's: SafeCast and ReentrancyGuardTransient.
  SafeCastOverflowedUintDowncast: (bits, value) => errors.amountOverCapacity({ bits, value }),
  ReentrancyGuardReentrantCall: () => errors.contractBusy({}),
}
