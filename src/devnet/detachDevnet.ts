import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { devnetChildFailed, devnetRunning, devnetStartTimeout } from '../errors/devnet.ts'
import { type DevnetState, findDevnet, getDevnetFolder } from './devnetState.ts'
import { createProgram, formatCommand } from './runCommand.ts'

const limitMs = 180_000

/**
 * Starts `cuckoo devnet start` as a process that outlives this one, and resolves with its state once the network is up.
 * @throws CUCKOO_DEVNET_RUNNING; CUCKOO_DEVNET_CHILD_FAILED when it ends first, CUCKOO_DEVNET_START_TIMEOUT after 3 minutes
 */
export async function detachDevnet(options: { home: string; script: string; flags: readonly string[] }): Promise<DevnetState> {
  const running = findDevnet(options.home)
  if (running) throw devnetRunning({ pid: running.pid, home: options.home })
  const folder = getDevnetFolder(options.home)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const logFile = join(folder, 'devnet.log')
  const log = openSync(logFile, 'w', 0o600)
  const program = createProgram({ script: options.script, home: options.home })
  const args = ['devnet', 'start', ...options.flags]
  const child = spawn(program.command, [program.script, ...args, '--json'], {
    env: program.env,
    stdio: ['ignore', log, log],
    detached: true,
    windowsHide: true,
  })
  child.unref()
  for (const startedAt = Date.now(); Date.now() - startedAt < limitMs; await sleep(100)) {
    const state = findDevnet(options.home)
    if (state) return state
    if (child.exitCode !== null || child.signalCode !== null) {
      throw devnetChildFailed({ command: formatCommand(args), exitCode: child.exitCode, reason: readFileSync(logFile, 'utf8').trim().split('\n').at(-1) ?? '' })
    }
  }
  child.kill('SIGTERM')
  throw devnetStartTimeout({ what: 'the devnet', waitedMs: limitMs })
}
