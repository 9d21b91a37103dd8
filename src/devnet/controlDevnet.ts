import { setTimeout as sleep } from 'node:timers/promises'
import { devnetStartTimeout } from '../errors/devnet.ts'
import { runDevnetRpc } from './anvil.ts'
import { type DevnetState, findDevnet, getDevnet } from './devnetState.ts'

/**
 * Asks the devnet of `home` to end and waits until it has: it ends its own processes.
 * @throws CUCKOO_DEVNET_NOT_RUNNING when none runs, CUCKOO_DEVNET_START_TIMEOUT when it is still there after 30 s
 */
export async function stopDevnet(home: string): Promise<DevnetState> {
  const state = getDevnet(home)
  process.kill(state.pid, 'SIGTERM')
  const limitMs = 30_000
  for (const startedAt = Date.now(); Date.now() - startedAt < limitMs; await sleep(100)) {
    if (!findDevnet(home)) return state
  }
  throw devnetStartTimeout({
    what: 'the end of the devnet',
    waitedMs: limitMs,
  })
}

/**
 * Moves the devnet's clock `seconds` forward and mines a block there; its time in unix seconds afterwards. Thaws and windows
 * that end before it are over.
 * @throws CUCKOO_DEVNET_NOT_RUNNING, CUCKOO_DEVNET_RPC_FAILED
 */
export async function warpDevnet(home: string, seconds: number): Promise<number> {
  const { rpcUrl } = getDevnet(home)
  await runDevnetRpc(rpcUrl, 'evm_increaseTime', [seconds])
  await runDevnetRpc(rpcUrl, 'evm_mine', [])
  const block = (await runDevnetRpc(rpcUrl, 'eth_getBlockByNumber', ['latest', false])) as { timestamp: string }
  return Number(block.timestamp)
}
