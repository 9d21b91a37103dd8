import { CuckooError, defineError } from './cuckooError.ts'

export const internalError = defineError('CUCKOO_INTERNAL', 'internal', (f: { reason: string }) => ({
  message: `Something went wrong inside cuckoo: ${f.reason}.`,
  hint: 'Run it again with --log-level debug and report what it prints.',
}))

/** `error` itself when it is one of ours, else it wrapped as CUCKOO_INTERNAL with the original as its cause. */
export function toCuckooError(error: unknown): CuckooError {
  if (error instanceof CuckooError) return error
  return internalError({ reason: error instanceof Error ? error.message : String(error) }, { cause: error })
}
