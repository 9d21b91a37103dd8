import { defineError } from './cuckooError.ts'

export const portInUse = defineError('CUCKOO_SERVER_PORT_IN_USE', 'config', (f: { host: string; port: number }) => ({
  message: `Port ${f.port} on ${f.host} is in use by another program.`,
  hint: 'Choose another port, or `--port 0` for any free one.',
}))
export const listenFailed = defineError('CUCKOO_SERVER_LISTEN_FAILED', 'config', (f: { host: string; port: number; reason: string }) => ({
  message: `Cannot listen on ${f.host} port ${f.port}: ${f.reason}.`,
  hint: 'Check `--host` and `--port`; ports below 1024 need rights, and the host must be an address of this machine.',
}))
