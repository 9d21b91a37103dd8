import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DevnetState, findDevnet, getDevnetFolder } from '../devnet/devnetState.ts'
import { toChildFailed } from '../devnet/runCommand.ts'
import { devnetStartTimeout } from '../errors/devnet.ts'

const limitMs = 180_000

/**
 * Starts `cuckoo devnet start` as a process that outlives this one, and waits until it is ready.
 * @throws CUCKOO_DEVNET_CHILD_FAILED with its own message when it ends first, CUCKOO_DEVNET_START_TIMEOUT after 3 minutes
 */
export async function startDetached(options: { home: string; script: string; flags: readonly string[]; signal: AbortSignal }): Promise<DevnetState> {
  const folder = getDevnetFolder(options.home)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const errors = join(folder, 'start.log')
  const [output, log] = [openSync(join(folder, 'start.jsonl'), 'w', 0o600), openSync(errors, 'w', 0o600)]
  const args = [options.script, 'devnet', 'start', ...options.flags, '--home', options.home, '--json']
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', output, log] })
  closeSync(output)
  closeSync(log)
  let exitCode: number | null | undefined
  child.once('exit', (code) => {
    exitCode = code
  })
  const until = performance.now() + limitMs
  try {
    while (performance.now() < until) {
      const state = findDevnet(options.home)
      if (state !== undefined && state.pid === child.pid) return state
      if (exitCode !== undefined) throw toChildFailed('cuckoo devnet start', exitCode, readFileSync(errors, 'utf8'))
      options.signal.throwIfAborted()
      await sleep(100)
    }
    throw devnetStartTimeout({ what: 'The devnet', waitedMs: limitMs })
  } catch (error) {
    if (exitCode === undefined) child.kill('SIGTERM')
    throw error
  } finally {
    child.unref()
  }
}
