import { defineError } from './cuckooError.ts'

export const configInvalid = defineError('CUCKOO_CONFIG_INVALID', 'config', (f: { source: string; value: string; problem: string }) => ({
  message: `'${f.value}' (${f.source}) ${f.problem}.`,
  hint: 'Change it there, or give the flag, which wins over it.',
}))
export const configFileUnreadable = defineError('CUCKOO_CONFIG_FILE_INVALID', 'config', (f: { path: string; problem: string }) => ({
  message: `The config file ${f.path} cannot be used: ${f.problem}.`,
  hint: 'Correct it (one JSON object of keys and values), or move it away.',
}))
export const configKeyUnknown = defineError('CUCKOO_CONFIG_KEY_UNKNOWN', 'config', (f: { path: string; key: string; known: string }) => ({
  message: `The config file ${f.path} has an unknown key '${f.key}'.`,
  hint: `Keys it may have: ${f.known}.`,
}))
export const secretInArguments = defineError('CUCKOO_CONFIG_SECRET_IN_ARGUMENTS', 'usage', (f: { flag: string; instead: string }) => ({
  message: `${f.flag} holds a user name or password: everyone on this machine can read arguments.`,
  hint: `Put it into ${f.instead}.`,
}))
export const networkMissing = defineError('CUCKOO_CONFIG_NETWORK_MISSING', 'config', () => ({
  message: 'No network is chosen and no devnet runs here.',
  hint: 'Start one with `cuckoo devnet start`, or name one: --network <name> or --deployment <file|url>.',
}))
export const networkMismatch = defineError('CUCKOO_CONFIG_NETWORK_MISMATCH', 'config', (f: { network: string; found: string; deployment: string }) => ({
  message: `The deployment ${f.deployment} is for the network '${f.found}', not '${f.network}'.`,
  hint: `Leave --network out, or use --network ${f.found}.`,
}))
