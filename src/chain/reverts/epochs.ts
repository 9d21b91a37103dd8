import * as errors from '../../errors/epochs.ts'
import { toAddress } from '../toAddress.ts'
import type { RevertTable } from './table.ts'

export const epochsReverts: RevertTable<'epochs'> = {
  NotActing: (account, node) => errors.notActing({ account: toAddress(account), node: toAddress(node) }),
  EpochOver: (epoch, endedAt) => errors.epochOver({ epoch, endedAt: Number(endedAt) }),
  EpochNotOver: (epoch, endsAt) => errors.epochNotOver({ epoch, endsAt: Number(endsAt) }),
  AlreadyCommitted: (coordinator, epoch) => errors.epochCommitted({ coordinator: toAddress(coordinator), epoch }),
  CommitmentUnknown: (coordinator, epoch) => errors.commitmentUnknown({ coordinator: toAddress(coordinator), epoch }),
  CommitmentZero: () => errors.commitmentZero({}),
  SecretInvalid: (coordinator, epoch) => errors.secretInvalid({ coordinator: toAddress(coordinator), epoch }),
  NotOverdue: (coordinator, epoch, overdueAt) => errors.notOverdue({ coordinator: toAddress(coordinator), epoch, overdueAt: Number(overdueAt) }),
  AlreadyOverdue: (coordinator, epoch) => errors.alreadyOverdue({ coordinator: toAddress(coordinator), epoch }),
  ParameterInvalid: (name) => errors.parameterInvalid({ name }),
}
