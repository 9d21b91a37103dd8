import { defineError } from './cuckooError.ts'

export const accountNameInvalid = defineError('CUCKOO_ACCOUNT_NAME_INVALID', 'usage', (f: { name: string }) => ({
  message: `'${f.name}' cannot be the name of an account.`,
  hint: 'Use 1 to 64 lower-case letters, digits, dots, dashes and underscores, the first a letter or digit.',
}))
export const accountExists = defineError('CUCKOO_ACCOUNT_EXISTS', 'usage', (f: { name: string; path: string }) => ({
  message: `There is an account '${f.name}' already (${f.path}); nothing was changed.`,
  hint: 'Choose another name: keys are never overwritten. `cuckoo account list` shows the names.',
}))
export const accountUnknown = defineError('CUCKOO_ACCOUNT_UNKNOWN', 'config', (f: { name: string; known: readonly string[] }) => ({
  message: `There is no account '${f.name}'.`,
  hint: f.known.length === 0 ? `Make it with \`cuckoo account new ${f.name}\`.` : `Accounts here: ${f.known.join(', ')}.`,
}))
export const accountMissing = defineError('CUCKOO_ACCOUNT_MISSING', 'config', () => ({
  message: 'This needs an account, and there is none yet.',
  hint: 'Make one with `cuckoo account new <name>`, or set CUCKOO_PRIVATE_KEY.',
}))
export const accountAmbiguous = defineError('CUCKOO_ACCOUNT_AMBIGUOUS', 'usage', (f: { known: readonly string[] }) => ({
  message: `Which of the ${f.known.length} accounts is meant?`,
  hint: `Say it with --account <name>: ${f.known.join(', ')}.`,
}))
export const accountMismatch = defineError('CUCKOO_ACCOUNT_MISMATCH', 'usage', (f: { name: string; address: string; source: string; found: string }) => ({
  message: `The account '${f.name}' is ${f.address}, but the key of ${f.source} belongs to ${f.found}.`,
  hint: `Leave out --account, or unset ${f.source}.`,
}))
export const accountFileFailed = defineError('CUCKOO_ACCOUNT_FILE_FAILED', 'config', (f: { path: string; reason: string }) => ({
  message: `The account file ${f.path} cannot be read or written: ${f.reason}.`,
  hint: 'Check the folder, its owner and its permissions; `--home` names another one.',
}))
export const keystoreInvalid = defineError('CUCKOO_ACCOUNT_KEYSTORE_INVALID', 'invalid', (f: { source: string; problem: string }) => ({
  message: `${f.source} is not a usable keystore: ${f.problem}.`,
  hint: 'Restore the file from a backup, or import the key again with `cuckoo account import <name>`.',
}))
export const passwordWrong = defineError('CUCKOO_ACCOUNT_PASSWORD_WRONG', 'denied', (f: { source: string }) => ({
  message: `The password does not open ${f.source}.`,
  hint: 'Check the password. If it is right, the file is damaged: restore it from a backup.',
}))
export const passwordMissing = defineError('CUCKOO_ACCOUNT_PASSWORD_MISSING', 'usage', (f: { name: string }) => ({
  message: `The account '${f.name}' needs its password, and there is no terminal to ask on.`,
  hint: 'Set CUCKOO_PASSWORD, or give --password-file <file> or --password-fd <number>.',
}))
export const passwordUnreadable = defineError('CUCKOO_ACCOUNT_PASSWORD_UNREADABLE', 'usage', (f: { source: string; reason: string }) => ({
  message: `No password could be read from ${f.source}: ${f.reason}.`,
  hint: 'The first line is the password; check the name and the permissions.',
}))
export const privateKeyInvalid = defineError('CUCKOO_ACCOUNT_KEY_INVALID', 'usage', (f: { source: string }) => ({
  message: `${f.source} does not hold a private key.`,
  hint: 'A private key is 64 hexadecimal digits, with or without 0x in front.',
}))
export const privateKeyUnreadable = defineError('CUCKOO_ACCOUNT_KEY_UNREADABLE', 'usage', (f: { source: string; reason: string }) => ({
  message: `No private key could be read from ${f.source}: ${f.reason}.`,
  hint: 'Check the name and the permissions of the file.',
}))

export const accountUnusable = defineError('CUCKOO_ACCOUNT_UNUSABLE', 'config', (f: { name: string; problem: string }) => ({
  message: `No address can be read for '${f.name}': ${f.problem.replace(/\.$/, '')}.`,
  hint: 'Restore its file from a backup, or give the 0x address where only that is needed.',
}))
