import { defineError } from './cuckooError.ts'

// ---- why an attempt ended; kept in the task and shown to the app ----
export const leaseExpired = defineError('CUCKOO_ATTEMPT_LEASE_EXPIRED', 'unavailable', (f: { miner: string }) => ({
  message: `The miner ${f.miner} was not heard from until its lease ended.`,
}))
export const minerLeft = defineError('CUCKOO_ATTEMPT_MINER_LEFT', 'unavailable', (f: { miner: string }) => ({
  message: `The miner ${f.miner} ended its session before it had a result.`,
}))
export const minerGone = defineError('CUCKOO_ATTEMPT_MINER_GONE', 'unavailable', (f: { miner: string }) => ({
  message: `The miner ${f.miner} hung up before the task reached it.`,
}))

// ---- starting up ----
export const coordinatorIneligible = defineError('CUCKOO_COORDINATOR_INELIGIBLE', 'rejected', (f: { node: string; reason: string }) => ({
  message: `The node ${f.node} cannot coordinate: ${f.reason}.`,
  hint: 'Check it with `cuckoo node show`, then `cuckoo register coordinator` or `cuckoo bond`.',
}))
export const keepTooShort = defineError('CUCKOO_COORDINATOR_KEEP_TOO_SHORT', 'usage', (f: { keepSeconds: number; minimumSeconds: number }) => ({
  message: `Contents kept for ${f.keepSeconds} s are gone before a dispute about them can end: a challenge may come and be judged for ${f.minimumSeconds} s.`,
  hint: `Pass \`--keep ${f.minimumSeconds}s\` or longer.`,
}))
export const taskContentMissing = defineError('CUCKOO_COORDINATOR_CONTENT_MISSING', 'internal', (f: { taskId: string; hash: string }) => ({
  message: `The content ${f.hash} of task ${f.taskId} is not in the store.`,
  hint: 'The store lost a blob: restore a backup, or cancel the task.',
}))
export const appNameInvalid = defineError('CUCKOO_APP_NAME_INVALID', 'usage', (f: { name: string }) => ({
  message: `'${f.name.slice(0, 80)}' is not an app's name.`,
  hint: 'Use 1 to 64 letters, digits, dots, dashes, underscores or spaces.',
}))
