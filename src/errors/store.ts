import { defineError } from './cuckooError.ts'

export const storeFull = defineError('CUCKOO_STORE_FULL', 'unavailable', (f: { directory: string }) => ({
  message: `The disk under ${f.directory} is full: nothing was written.`,
  hint: 'Free some space there; no restart is needed.',
}))

export const storeBusy = defineError('CUCKOO_STORE_BUSY', 'unavailable', (f: { directory: string }) => ({
  message: `Another process keeps the store in ${f.directory} locked for writing.`,
  hint: 'Try again in a moment.',
}))

export const storeWriteFailed = defineError('CUCKOO_STORE_WRITE_FAILED', 'unavailable', (f: { directory: string; reason: string }) => ({
  message: `The store in ${f.directory} could not be read or written: ${f.reason}.`,
  hint: 'Check the disk, and that this user may write there.',
}))

export const storeLocked = defineError('CUCKOO_STORE_LOCKED', 'rejected', (f: { directory: string; owner: string }) => ({
  message: `The store in ${f.directory} is in use by ${f.owner}.`,
  hint: 'Stop that process, or give this one its own --home.',
}))

export const storeDamaged = defineError('CUCKOO_STORE_DAMAGED', 'config', (f: { path: string; reason: string }) => ({
  message: `The store file ${f.path} is damaged: ${f.reason}.`,
  hint: 'Move the file away and restore a backup; its content is never changed by opening it.',
}))

export const storeTooNew = defineError('CUCKOO_STORE_TOO_NEW', 'config', (f: { path: string; found: number; known: number }) => ({
  message: `The store file ${f.path} has schema version ${f.found}; this cuckoo knows version ${f.known} and older.`,
  hint: 'Update cuckoo: an older one cannot open this file.',
}))

export const storeForeign = defineError('CUCKOO_STORE_FOREIGN', 'config', (f: { path: string; expected: string }) => ({
  message: `The file ${f.path} is a SQLite database, but not a ${f.expected} of cuckoo.`,
  hint: 'Give another --home.',
}))

export const storeClosed = defineError('CUCKOO_STORE_CLOSED', 'unavailable', () => ({
  message: 'The store is closed: the process is shutting down.',
  hint: 'Try again in a moment.',
}))

export const drawLogBroken = defineError('CUCKOO_STORE_DRAW_LOG_BROKEN', 'unavailable', (f: { expectedIndex: bigint; foundIndex: bigint }) => ({
  message: `The draw has index ${f.foundIndex}, the log continues with ${f.expectedIndex}.`,
  hint: 'Draw again from the head that the log has now.',
}))
