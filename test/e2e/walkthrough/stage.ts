import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createChain } from '../../../src/chain/createChain.ts'
import { loadDeployment, toDeploymentPath } from '../../../src/chain/deployment.ts'
import type { DevnetState } from '../../../src/devnet/devnetState.ts'
import { formatCommand } from '../../../src/devnet/runCommand.ts'
import { formatAmount } from '../../../src/domain/amount.ts'
import type { Chain } from '../../../src/domain/chainPort.ts'
import type { Address } from '../../../src/domain/hex.ts'
import { type RunningCuckoo, runCuckoo, startCuckoo } from '../../support/cuckoo.ts'

export type Answer = Record<string, unknown>

/** A network of real processes, and hands that type: every act of the play is a `cuckoo` command. */
export interface Stage {
  home: string
  rpcUrl: string
  chain: Chain
  addressOf(name: string): Address
  /** every account of the play by name */
  accounts: { name: string; address: Address }[]
  scene(title: string): void
  say(text: string): void
  /** types one command as `account`; the last object that it printed */
  type(account: string | null, ...args: string[]): Promise<Answer>
  /** types a command that must be refused with `code` */
  refuse(code: string, account: string | null, ...args: string[]): Promise<void>
  /** an account with CAI; its password lies beside it, as for all of the devnet */
  createAccount(name: string): Promise<void>
  /** starts another program of the play: a miner that lies */
  start(name: string, script: string, args: string[], isReady: (event: Answer) => boolean): Promise<void>
  rpc<T>(method: string, params: unknown[]): Promise<T>
  stop(): Promise<void>
}

const balanceWei = 5_000_000n * 10n ** 18n

/** @param print where the play is shown, a line at a time */
export async function openStage(home: string, print: (line: string) => void, minerBonds: readonly string[]): Promise<Stage> {
  const flags = ['--rpc-port', '0', '--port', '0', ...minerBonds.flatMap((bond) => ['--miner-bond', bond])]
  print(`$ cuckoo devnet start ${minerBonds.map((bond) => `--miner-bond ${bond}`).join(' ')}`)
  const devnet = startCuckoo(['devnet', 'start', ...flags], { home })
  const others: ChildProcess[] = []
  try {
    const { state } = (await devnet.waitFor((event) => event['event'] === 'ready', 150_000)) as { state: DevnetState } & Answer
    const chain = await createChain({ deployment: await loadDeployment(toDeploymentPath(home, 'devnet')) })
    return createStage({ home, state, devnet, chain, print, others })
  } catch (error) {
    await devnet.stop()
    throw error
  }
}

interface Parts {
  home: string
  state: DevnetState
  devnet: RunningCuckoo
  chain: Chain
  print: (line: string) => void
  others: ChildProcess[]
}

function createStage({ home, state, devnet, chain, print, others }: Parts): Stage {
  const accounts = [...state.accounts]
  const withAccount = (account: string | null, args: string[]) => (account === null ? args : [...args, '--account', account])
  const run = async (account: string | null, args: string[]) => {
    print(`$ ${formatCommand(withAccount(account, args))}`)
    return runCuckoo([...withAccount(account, args), '--yes', '--json'], { home, timeoutMs: 120_000 })
  }
  const stage: Stage = {
    home,
    rpcUrl: state.rpcUrl,
    chain,
    accounts,
    addressOf(name) {
      const found = accounts.find((account) => account.name === name)
      if (found === undefined) throw new Error(`nobody is called ${name}`)
      return found.address
    },
    scene: (title) => print(`\n== ${title}`),
    say: (text) => print(`  ${text}`),
    async type(account, ...args) {
      const { code, stdout, stderr } = await run(account, args)
      if (code !== 0) throw new Error(`${formatCommand(withAccount(account, args))} ended with ${code}: ${stderr}`)
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Answer
    },
    async refuse(code, account, ...args) {
      const ended = await run(account, args)
      const { error } = JSON.parse(ended.stderr.trim().split('\n').at(-1) ?? '{}') as { error?: { code: string; message: string } }
      if (ended.code === 0 || error?.code !== code) throw new Error(`${formatCommand(args)}: ${code} expected, exit ${ended.code}: ${ended.stderr}`)
      print(`  refused: ${error.message} (${code})`)
    },
    async createAccount(name) {
      const passwordFile = join(home, 'accounts', `${accounts[0]?.name}.password`)
      // The same password for all of the play's own accounts: devnet money only.
      const { address } = await stage.type(null, 'account', 'new', name, '--password-file', passwordFile)
      copyPassword(home, passwordFile, name)
      await stage.rpc('anvil_setBalance', [address, `0x${balanceWei.toString(16)}`])
      accounts.push({ name, address: address as Address })
    },
    start: (name, script, args, isReady) => startOther({ name, script, args, isReady, home, others, print }),
    rpc: (method, params) => callRpc(state.rpcUrl, method, params),
    async stop() {
      for (const other of others) await stopProcess(other)
      await devnet.stop()
    },
  }
  return stage
}

async function startOther(input: {
  name: string
  script: string
  args: string[]
  isReady: (event: Answer) => boolean
  home: string
  others: ChildProcess[]
  print: (line: string) => void
}): Promise<void> {
  const { name, script, args, isReady, home, others, print } = input
  print(`$ ${formatCommand(args)} &   # ${name}`)
  const child = spawn(process.execPath, [script, ...args, '--json'], {
    env: { ...process.env, CUCKOO_HOME: home, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  others.push(child)
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('{') && isReady(JSON.parse(line) as Answer) && resolve())
    child.once('close', (code) => reject(new Error(`${name} ended with ${code}: ${errors}`)))
    setTimeout(() => reject(new Error(`${name} is not ready after 90 s: ${errors}`)), 90_000).unref()
  })
  await ready
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await closed
  clearTimeout(timer)
}

function copyPassword(home: string, from: string, name: string): void {
  writeFileSync(join(home, 'accounts', `${name}.password`), readFileSync(from), { mode: 0o600 })
}

async function callRpc<T>(url: string, method: string, params: unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const answer = (await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json()) as {
    result: T
    error?: { message: string }
  }
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`)
  return answer.result
}

/** CAI as people read it. @example toCai(10n ** 15n) // '0.001 CAI' */
export function toCai(wei: bigint | string): string {
  return `${formatAmount(BigInt(wei))} CAI`
}
