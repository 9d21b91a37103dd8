import { spawn } from 'node:child_process'
import type { Child } from './childProcess.ts'
import { ownGroup } from './ownGroup.ts'

/** Ends the network's processes when this one cannot do it any more. */
export interface Guard {
  watch(child: Child): void
  /** lets the guard end; what still runs is ended by it */
  close(): void
}

// Runs as a process of its own, since nothing runs in one that was killed. Its end of the channel tells it.
const script = `
const pids = new Set()
const send = (signal) => {
  for (const pid of pids) try { process.kill(pid, signal) } catch { pids.delete(pid) }
}
process.on('message', ({ pid, running }) => running ? pids.add(pid) : pids.delete(pid))
process.once('disconnect', () => {
  send('SIGTERM')
  const force = setTimeout(() => { send('SIGKILL'); process.exit() }, 10_000)
  const look = setInterval(() => {
    send(0)
    if (pids.size > 0) return
    clearTimeout(force)
    clearInterval(look)
  }, 100)
})`

/** A guard that ends every process it watches, asked first and forced after 10 s, once this process is gone: closed terminal, second Ctrl-C, `kill -9`. */
export function createGuard(env: NodeJS.ProcessEnv): Guard {
  const guard = spawn(process.execPath, ['-e', script], { ...ownGroup, env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  // Without a guard the devnet works all the same.
  guard.on('error', () => {})
  guard.unref()
  guard.channel?.unref()
  const tell = (pid: number, running: boolean) => void (guard.connected && guard.send({ pid, running }, () => {}))
  return {
    watch(child) {
      tell(child.pid, true)
      void child.exited.then(() => tell(child.pid, false))
    },
    close() {
      if (guard.connected) guard.disconnect()
    },
  }
}
