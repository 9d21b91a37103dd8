import { defineError } from './cuckooError.ts'
import { defineRefusals } from './refusals.ts'

/** What the epochs contract refuses: one for each error of IEpochs. */
export const { notActing, parameterInvalid } = defineRefusals('EPOCHS')

export const epochOver = defineError('CUCKOO_EPOCHS_EPOCH_OVER', 'rejected', (f: { epoch: bigint; endedAt: number }) => ({
  message: `Draw epoch ${f.epoch} ended at ${f.endedAt} (unix seconds): nothing can be committed for it any more.`,
  hint: 'Check the clock of this machine; `cuckoo coordinator serve` commits for the next epoch.',
}))
export const epochNotOver = defineError('CUCKOO_EPOCHS_EPOCH_NOT_OVER', 'rejected', (f: { epoch: bigint; endsAt: number }) => ({
  message: `Draw epoch ${f.epoch} ends at ${f.endsAt} (unix seconds): its secret is not shown before.`,
  hint: 'Check the clock of this machine; `cuckoo coordinator serve` reveals in time.',
}))
export const epochCommitted = defineError('CUCKOO_EPOCHS_ALREADY_COMMITTED', 'rejected', (f: { coordinator: string; epoch: bigint }) => ({
  message: `${f.coordinator} has committed for draw epoch ${f.epoch} already.`,
  hint: `If it was not this machine, another one runs with the same key: compare with \`cuckoo node show ${f.coordinator}\`.`,
}))
export const commitmentUnknown = defineError('CUCKOO_EPOCHS_COMMITMENT_UNKNOWN', 'rejected', (f: { coordinator: string; epoch: bigint }) => ({
  message: `${f.coordinator} has no open commitment for draw epoch ${f.epoch}: it never was, or it is revealed.`,
  hint: `See how it stands with \`cuckoo node show ${f.coordinator}\`.`,
}))
export const commitmentZero = defineError('CUCKOO_EPOCHS_COMMITMENT_ZERO', 'usage', () => ({
  message: 'The commitment is zero.',
  hint: '`cuckoo coordinator serve` makes and commits to a secret by itself.',
}))
export const secretInvalid = defineError('CUCKOO_EPOCHS_SECRET_INVALID', 'rejected', (f: { coordinator: string; epoch: bigint }) => ({
  message: `This is not the secret that ${f.coordinator} committed to for draw epoch ${f.epoch}.`,
  hint: 'Run `cuckoo coordinator serve` with the store that made the commitment.',
}))
export const notOverdue = defineError('CUCKOO_EPOCHS_NOT_OVERDUE', 'rejected', (f: { coordinator: string; epoch: bigint; overdueAt: number }) => ({
  message: `${f.coordinator} may reveal draw epoch ${f.epoch} until ${f.overdueAt} (unix seconds).`,
  hint: `See how it stands with \`cuckoo node show ${f.coordinator}\`.`,
}))
export const alreadyOverdue = defineError('CUCKOO_EPOCHS_ALREADY_OVERDUE', 'rejected', (f: { coordinator: string; epoch: bigint }) => ({
  message: `${f.coordinator} is suspended for draw epoch ${f.epoch} already.`,
  hint: `See how it stands with \`cuckoo node show ${f.coordinator}\`.`,
}))
