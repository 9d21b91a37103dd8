import { setTimeout as sleep } from 'node:timers/promises'
import { devnetPollMs } from '../domain/chainTime.ts'
import { devnetNotRunning, devnetStopTimeout } from '../errors/devnet.ts'
import { runDevnetRpc } from './anvil.ts'
import { findDevnetOwner, getDevnet, isAlive } from './devnetState.ts'

/**
 * Asks the devnet of `home`, which may still be starting, to end, and waits until all its processes have; the pid that it had.
 * @throws CUCKOO_DEVNET_NOT_RUNNING when none runs, CUCKOO_DEVNET_STOP_TIMEOUT when it is still there after 30 s
 */
export async function stopDevnet(home: string): Promise<number> {
  const owner = findDevnetOwner(home)
  if (owner === undefined) throw devnetNotRunning({ home })
  process.kill(owner.pid, 'SIGTERM')
  const limitMs = 30_000
  const until = Date.now() + limitMs
  while (findDevnetOwner(home)?.pid === owner.pid) {
    if (Date.now() > until) throw devnetStopTimeout({ pid: owner.pid, waitedMs: limitMs })
    await sleep(50)
  }
  // It has ended all others. Where nobody collects ended processes (a container without an init) its number stays: do not wait long.
  for (const patience = Date.now() + 2_000; isAlive(owner) && Date.now() < patience; ) await sleep(20)
  return owner.pid
}

/**
 * Moves the devnet's clock `seconds` forward and mines a block there; its time in unix seconds afterwards. Thaws and windows
 * that end before it are over, and coordinator and miners know: they agree on the time of the next task.
 * @throws CUCKOO_DEVNET_NOT_RUNNING, CUCKOO_DEVNET_RPC_FAILED
 */
export async function warpDevnet(home: string, seconds: number): Promise<number> {
  const { rpcUrl } = getDevnet(home)
  await runDevnetRpc(rpcUrl, 'evm_increaseTime', [seconds])
  await runDevnetRpc(rpcUrl, 'evm_mine', [])
  const block = (await runDevnetRpc(rpcUrl, 'eth_getBlockByNumber', ['latest', false])) as { timestamp: string }
  await sleep(3 * devnetPollMs)
  return Number(block.timestamp)
}
