import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { getAnvilPath } from '../../src/devnet/anvil.ts'
import type { Address, Hash, Hex } from '../../src/domain/hex.ts'

/** Amounts are JSON-RPC quantities. */
interface Transaction {
  to?: Address
  data?: Hex
  value?: Hex
  gas?: Hex
}

export interface Anvil {
  rpcUrl: string
  process: ChildProcess
  /** result of one JSON-RPC call, also of anvil's own methods */
  request<T = unknown>(method: string, params?: unknown[]): Promise<T>
  /** Sends a transaction of any address, contracts too, without its key. Resolves when it is in a block; rejects when it reverted. */
  sendAs(from: Address, transaction: Transaction): Promise<{ contractAddress: Address | null }>
  stop(): Promise<void>
}

/**
 * A real anvil (chain id 31337, 10 accounts with a billion CAI) on a free port. `finalityDepth` 0 makes the latest block final,
 * n makes it trail by 2 n blocks. Its EVM is that of the contracts unless told. Ends with the test process, also when that fails.
 */
export async function startAnvil(options: { finalityDepth?: number; chainId?: number; port?: number; hardfork?: string } = {}): Promise<Anvil> {
  const { finalityDepth = 0, chainId = 31337, port = 0, hardfork = 'cancun' } = options
  const args = ['--port', String(port), '--chain-id', String(chainId), '--slots-in-an-epoch', String(finalityDepth), '--balance', '1000000000']
  args.push('--hardfork', hardfork)
  const child = spawn(getAnvilPath(), args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const exited = once(child, 'exit')
  const rpcUrl = await Promise.race([findUrl(child), exited.then(([code]) => Promise.reject(new Error(`anvil ended with ${code}`))), rejectAfter(20_000)])
  async function request<T>(method: string, params: unknown[] = []): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const response = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const answer = (await response.json()) as { result: T; error?: { message: string } }
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`)
    return answer.result
  }
  return {
    rpcUrl,
    process: child,
    request,
    async sendAs(from, transaction) {
      await request('anvil_impersonateAccount', [from])
      const hash = await request<Hash>('eth_sendTransaction', [{ from, ...transaction }])
      // anvil answers before it mines.
      for (let triesLeft = 1_000; triesLeft > 0; triesLeft--) {
        const receipt = await request<{ status: Hex; contractAddress: Address | null } | null>('eth_getTransactionReceipt', [hash])
        if (receipt?.status === '0x1') return receipt
        if (receipt) throw new Error(`${hash} reverted`)
        await sleep(10)
      }
      throw new Error(`${hash} came into no block`)
    },
    async stop() {
      process.off('exit', kill)
      if (child.exitCode === null && child.signalCode === null) kill()
      await exited
    },
  }
}

async function findUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('anvil has no stdout')
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
    if (port === undefined) continue
    child.stdout.resume()
    return `http://127.0.0.1:${port}`
  }
  throw new Error('anvil did not say where it listens')
}

async function rejectAfter(ms: number): Promise<never> {
  await sleep(ms, undefined, { ref: false })
  throw new Error(`anvil did not start within ${ms} ms`)
}
