import { defineError } from './cuckooError.ts'

export const outboundUrlInvalid = defineError('CUCKOO_OUTBOUND_URL_INVALID', 'usage', (f: { url: string; problem: string }) => ({
  message: `'${f.url}' is not a URL to call: ${f.problem}.`,
  hint: 'Write it like https://coordinator.example.org, without user name or password.',
}))
export const outboundRefused = defineError('CUCKOO_OUTBOUND_REFUSED', 'rejected', (f: { host: string; reason: string }) => ({
  message: `No connection to ${f.host}: ${f.reason}.`,
  hint: 'Use a public https address, or `--allow-private` in a network of your own.',
}))
