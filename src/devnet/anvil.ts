import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { anvilMissing, devnetRpcFailed } from '../errors/devnet.ts'
import { type Child, type ChildOptions, startChild } from './childProcess.ts'

/**
 * Path of an anvil binary: from PATH (Foundry), else from the optional npm package's platform folder.
 * @throws CUCKOO_DEVNET_ANVIL_MISSING where neither is there
 */
export function getAnvilPath(path = process.env['PATH'] ?? ''): string {
  const file = process.platform === 'win32' ? 'anvil.exe' : 'anvil'
  // npm puts its own wrapper script first on PATH; the platform package holds the binary itself, which dies with its signal.
  const platform = process.platform
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  try {
    return createRequire(import.meta.url).resolve(`@foundry-rs/anvil-${platform}-${architecture}/bin/${file}`)
  } catch {
    const found = path
      .split(delimiter)
      .map((folder) => join(folder, file))
      .find((candidate) => existsSync(candidate))
    if (found === undefined) throw anvilMissing({ platform: `${platform} ${process.arch}` })
    return found
  }
}

/**
 * A fresh local chain (id 31337) on loopback: a block for every transaction at once and one each 2 s, so that time goes on;
 * `finalized` is the latest block. Resolves when it answers, with its URL.
 */
export async function startAnvil(
  options: Pick<ChildOptions, 'env' | 'logFile' | 'onStarted' | 'signal'> & { port: number },
): Promise<{ child: Child; rpcUrl: string }> {
  const listening = /Listening on 127\.0\.0\.1:(\d+)/
  const { child, readyLine } = await startChild({
    name: 'chain',
    command: getAnvilPath(),
    args: [
      '--host',
      '127.0.0.1',
      '--port',
      String(options.port),
      '--chain-id',
      '31337',
      '--accounts',
      '0',
      '--slots-in-an-epoch',
      '0',
      '--block-time',
      '2',
      '--mixed-mining',
    ],
    env: options.env,
    logFile: options.logFile,
    onStarted: options.onStarted,
    signal: options.signal,
    isReady: (line) => listening.test(line),
    timeoutMs: 20_000,
  })
  return {
    child,
    rpcUrl: `http://127.0.0.1:${listening.exec(readyLine)?.[1]}`,
  }
}

/**
 * The result of one JSON-RPC call to the devnet's chain, for what only a local chain can do (warp).
 * @throws CUCKOO_DEVNET_RPC_FAILED when it refuses or does not answer within 10 s
 */
export async function runDevnetRpc(rpcUrl: string, method: string, params: unknown[]): Promise<unknown> {
  const fail = (reason: string, cause?: unknown) => devnetRpcFailed({ method, reason }, { cause })
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(10_000),
  }).catch((error: unknown) => Promise.reject(fail('no answer', error)))
  const answer = (await response.json()) as {
    result?: unknown
    error?: { message: string }
  }
  if (answer.error) throw fail(answer.error.message)
  return answer.result
}
