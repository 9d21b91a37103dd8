import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import type { NetworkContracts } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import { devnetNotRunning, devnetRunning } from '../errors/devnet.ts'

/** What other terminals need to know of the devnet that runs: `<home>/devnet/state.json`, there only while it runs. */
export interface DevnetState {
  /** the `cuckoo devnet start` that owns all other processes */
  pid: number
  /** unix seconds */
  startedAt: number
  rpcUrl: string
  contracts: NetworkContracts
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

/** Holds the `cuckoo devnet start` that owns `home`, from its first moment until nothing of the devnet runs any more. */
function getOwnerFile(home: string): string {
  return join(getDevnetFolder(home), 'owner.json')
}

interface Owner {
  pid: number
  /** unix seconds */
  startedAt: number
}

/** Whether the process is there; one from before the machine's start is not, whoever has its number now. */
export function isAlive({ pid, startedAt }: Owner): boolean {
  if (startedAt < Date.now() / 1000 - uptime() - 60) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function findAlive<T extends Owner>(file: string): T | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as T
    return isAlive(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The process that owns the devnet of `home`, be it starting, running or stopping; undefined when there is none. */
export function findDevnetOwner(home: string): Owner | undefined {
  return findAlive(getOwnerFile(home))
}

/** Makes this process the owner of the devnet of `home`. @throws CUCKOO_DEVNET_RUNNING while another one is */
export function saveDevnetOwner(home: string): void {
  mkdirSync(getDevnetFolder(home), { recursive: true, mode: 0o700 })
  const owner: Owner = { pid: process.pid, startedAt: Math.floor(Date.now() / 1000) }
  const other = findDevnetOwner(home)
  if (other !== undefined) throw devnetRunning({ pid: other.pid, home })
  rmSync(getOwnerFile(home), { force: true })
  try {
    writeFileSync(getOwnerFile(home), `${JSON.stringify(owner)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw devnetRunning({ pid: findDevnetOwner(home)?.pid ?? -1, home }, { cause })
  }
}

export function removeDevnetOwner(home: string): void {
  rmSync(getOwnerFile(home), { force: true })
}

/** The state of the devnet that runs in `home`, or undefined: no file, or its process is gone. */
export function findDevnet(home: string): DevnetState | undefined {
  return findAlive(getStateFile(home))
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
