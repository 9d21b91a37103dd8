import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from '../domain/hex.ts'
import { devnetNotRunning } from '../errors/devnet.ts'

/** What other terminals need to know of the devnet that runs: `<home>/devnet/state.json`, there only while it runs. */
export interface DevnetState {
  /** the `cuckoo devnet start` that owns all other processes */
  pid: number
  /** unix seconds */
  startedAt: number
  rpcUrl: string
  staking: Address
  coordinator: { node: Address; url: string }
  miners: { account: string; node: Address; pid: number }[]
  /** accounts with CAI, by name in the keystore */
  accounts: { name: string; address: Address }[]
  /** file that holds the app's API key (mode 0600) */
  apiKeyFile: string
}

export function getDevnetFolder(home: string): string {
  return join(home, 'devnet')
}

function getStateFile(home: string): string {
  return join(getDevnetFolder(home), 'state.json')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The state of the devnet that runs in `home`, or undefined: no file, or its process is gone. */
export function findDevnet(home: string): DevnetState | undefined {
  try {
    const state = JSON.parse(readFileSync(getStateFile(home), 'utf8')) as DevnetState
    return isAlive(state.pid) ? state : undefined
  } catch {
    return undefined
  }
}

/** The state of the devnet that runs in `home`. @throws CUCKOO_DEVNET_NOT_RUNNING when none does */
export function getDevnet(home: string): DevnetState {
  const state = findDevnet(home)
  if (!state) throw devnetNotRunning({ home })
  return state
}

/** Writes the state so that a reader sees all of it or none. */
export function saveDevnetState(home: string, state: DevnetState): void {
  mkdirSync(getDevnetFolder(home), { recursive: true, mode: 0o700 })
  const draft = `${getStateFile(home)}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, getStateFile(home))
}

export function removeDevnetState(home: string): void {
  rmSync(getStateFile(home), { force: true })
}
