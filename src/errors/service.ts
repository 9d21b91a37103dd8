import { defineError } from './cuckooError.ts'

export const serviceWouldAsk = defineError('CUCKOO_SERVICE_WOULD_ASK', 'usage', (f: { account: string }) => ({
  message: `A service has nobody to ask for the password of '${f.account}'.`,
  hint: 'Put the password into a file that only you can read, and name it with `--password-file <file>`.',
}))
export const serviceSecretExposed = defineError('CUCKOO_SERVICE_SECRET_EXPOSED', 'usage', (f: { name: string; instead: string }) => ({
  message: `${f.name} is a secret of this terminal's environment: a service file is no place for it.`,
  hint: `Use ${f.instead} instead.`,
}))
export const servicePlatformUnknown = defineError('CUCKOO_SERVICE_PLATFORM_UNKNOWN', 'config', (f: { platform: string }) => ({
  message: `There is no service file for '${f.platform}': systemd, launchd and the Windows Task Scheduler are known.`,
  hint: 'Let the service manager of this machine run `cuckoo miner start …`, and start it again after exit code 75.',
}))
export const serviceFolderClosed = defineError('CUCKOO_SERVICE_FOLDER_CLOSED', 'denied', (f: { path: string }) => ({
  message: `${f.path} cannot be written by this user.`,
  hint: `Give \`--user\` for a service of this user, or send what \`--print\` prints to \`sudo tee ${f.path}\`.`,
}))
