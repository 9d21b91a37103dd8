import { defineError } from './cuckooError.ts'

export const amountInvalid = defineError('CUCKOO_AMOUNT_INVALID', 'usage', (f: { value: string; suggestion: string | null }) => ({
  message: `'${f.value}' is not an amount of CAI.`,
  hint: f.suggestion === null ? 'Write it like 25000, 0.5 or 12wei.' : `Did you mean ${f.suggestion}?`,
}))

export const amountTooPrecise = defineError('CUCKOO_AMOUNT_TOO_PRECISE', 'usage', (f: { value: string; decimals: number }) => ({
  message: `'${f.value}' has ${f.decimals} decimals; CAI has 18.`,
  hint: 'Shorten it to at most 18 decimals, or give whole wei like 12wei.',
}))

export const amountOutOfRange = defineError('CUCKOO_AMOUNT_OUT_OF_RANGE', 'usage', (f: { value: string; maximumWei: bigint }) => ({
  message: `'${f.value}' is more than the contract can hold (${f.maximumWei / 10n ** 18n} CAI).`,
  hint: 'Give a smaller amount.',
}))
