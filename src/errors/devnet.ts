import { CuckooError, defineError, type ErrorKind, errorKinds } from './cuckooError.ts'

export const anvilMissing = defineError('CUCKOO_DEVNET_ANVIL_MISSING', 'config', (f: { platform: string }) => ({
  message: `No anvil was found on this machine (${f.platform}): the devnet's chain needs it.`,
  hint: 'Install Foundry (https://getfoundry.sh) or `npm i -g @foundry-rs/anvil`, then try again.',
}))
export const devnetRunning = defineError('CUCKOO_DEVNET_RUNNING', 'rejected', (f: { pid: number; home: string }) => ({
  message: `A devnet runs already in ${f.home} (process ${f.pid}).`,
  hint: 'Use it, or stop it with `cuckoo devnet stop`.',
}))
export const devnetNotRunning = defineError('CUCKOO_DEVNET_NOT_RUNNING', 'rejected', (f: { home: string }) => ({
  message: `No devnet runs in ${f.home}.`,
  hint: 'Start one with `cuckoo devnet start`.',
}))
/** A process of the network ended: its exit code says whose fault that was. `hint`: its own; null: it gave none. */
export function devnetChildFailed(f: { command: string; exitCode: number | null; reason: string; hint: string | null }): CuckooError {
  const kind = (Object.keys(errorKinds) as ErrorKind[]).find((name) => errorKinds[name].exitCode === f.exitCode) ?? 'internal'
  const message = `\`${f.command}\` ended with ${f.exitCode === null ? 'a signal' : `exit code ${f.exitCode}`}: ${f.reason}`
  const hint = f.hint ?? 'Run it again with `--log-level debug`; a devnet keeps its logs in the devnet folder of the cuckoo home.'
  return new CuckooError({ code: 'CUCKOO_DEVNET_CHILD_FAILED', kind }, { message, hint }, f)
}
export const devnetStartTimeout = defineError('CUCKOO_DEVNET_START_TIMEOUT', 'unavailable', (f: { what: string; waitedMs: number }) => ({
  message: `${f.what} is not ready after ${f.waitedMs / 1000} s.`,
  hint: 'Look into the logs in the devnet folder of the cuckoo home; a slow machine may just need another try.',
}))
export const devnetStopTimeout = defineError('CUCKOO_DEVNET_STOP_TIMEOUT', 'unavailable', (f: { pid: number; waitedMs: number }) => ({
  message: `The devnet (process ${f.pid}) has not ended after ${f.waitedMs / 1000} s.`,
  hint: 'Try `cuckoo devnet stop` once more: the second time it is forced.',
}))
export const devnetRpcFailed = defineError('CUCKOO_DEVNET_RPC_FAILED', 'unavailable', (f: { method: string; reason: string }) => ({
  message: `The devnet's chain refused ${f.method}: ${f.reason}.`,
  hint: 'See whether it still runs with `cuckoo devnet status`.',
}))
export const devnetTaskFailed = defineError('CUCKOO_DEVNET_TASK_FAILED', 'internal', (f: { what: string; reason: string }) => ({
  message: `The network did not do '${f.what}': ${f.reason}.`,
  hint: 'Run it again with `--log-level debug`.',
}))
