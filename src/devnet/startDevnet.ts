import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { NetworkContracts } from '../domain/chainPort.ts'
import type { Address } from '../domain/hex.ts'
import { startAnvil } from './anvil.ts'
import { type Child, type ChildOptions, startChild } from './childProcess.ts'
import { createAccounts } from './createAccounts.ts'
import { createGuard } from './createGuard.ts'
import { type DevnetState, getDevnetFolder, removeDevnetOwner, removeDevnetState, saveDevnetOwner, saveDevnetState } from './devnetState.ts'
import { type CuckooProgram, createProgram, formatCommand, runCommand } from './runCommand.ts'

export interface DevnetOptions {
  home: string
  /** path of bin/cuckoo.js */
  script: string
  /** 0: any free port */
  rpcPort: number
  coordinatorPort: number
  /** bond of each miner in CAI; one miner each */
  minerBonds: readonly string[]
  /** how long stake thaws; undefined: as the devnet preset says */
  thaw: string | undefined
  /** that every miner offers */
  models: readonly string[]
  /** folder with models in <owner>/<model>, searched first */
  modelsDir: string | undefined
}

/** What happened, in order: for the command that shows it. */
export type DevnetEvent =
  | { type: 'section'; title: string }
  | { type: 'command'; command: string; note: string }
  | { type: 'ready'; state: DevnetState }
  /** a process ended that nobody told to */
  | { type: 'ended'; name: string; exitCode: number | null; logFile: string }

export interface RunningDevnet {
  state: DevnetState
  /** ends every process of the network, miners first */
  stop(): Promise<void>
  miners: Child[]
  coordinator: Child
}

export const coordinatorBond = '2100000'
/** CAI in the coordinator's escrow: a hundred lines of `coordinator serve`'s default */
export const coordinatorEscrow = '1000'
export const stakerVotes = [
  { account: 'dev-staker-1', cai: '1000', miner: 0 },
  { account: 'dev-staker-2', cai: '2000', miner: 1 },
] as const

/** A port that is free now: `preferred`, or any when it is 0 or taken. */
export async function findFreePort(preferred: number): Promise<number> {
  const tryPort = (port: number) =>
    new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
      })
    })
  return tryPort(preferred).catch(() => tryPort(0))
}

/**
 * Starts a whole network: a chain, the contracts, a coordinator and miners, each registered through the same commands that
 * people type, each serving as a process of its own. Resolves when every miner has its session.
 * @throws CUCKOO_DEVNET_RUNNING, CUCKOO_DEVNET_ANVIL_MISSING, CUCKOO_DEVNET_CHILD_FAILED, CUCKOO_DEVNET_START_TIMEOUT; nothing is left running then
 */
export async function startDevnet(options: DevnetOptions, onEvent: (event: DevnetEvent) => void, signal?: AbortSignal): Promise<RunningDevnet> {
  saveDevnetOwner(options.home)
  const program = createProgram({ script: options.script, home: options.home })
  const guard = createGuard(program.env)
  const children: Child[] = []
  let isStopping = false
  const stop = async () => {
    isStopping = true
    removeDevnetState(options.home)
    const [chain, ...others] = children
    await Promise.all(others.toReversed().map((child) => child.stop(10_000)))
    await chain?.stop(5_000)
    guard.close()
    removeDevnetOwner(options.home)
  }
  const onStarted = (child: Child) => {
    children.push(child)
    guard.watch(child)
  }
  try {
    const devnet = await startNetwork(options, program, onEvent, { onStarted, signal })
    for (const child of children) {
      const logFile = join(getDevnetFolder(options.home), `${child.name}.log`)
      void child.exited.then((exitCode) => isStopping || onEvent({ type: 'ended', name: child.name, exitCode, logFile }))
    }
    return { ...devnet, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startNetwork(
  options: DevnetOptions,
  program: CuckooProgram,
  onEvent: (event: DevnetEvent) => void,
  { onStarted, signal }: Pick<ChildOptions, 'onStarted' | 'signal'>,
): Promise<Omit<RunningDevnet, 'stop'>> {
  const folder = getDevnetFolder(options.home)
  // A new chain knows nothing of an older one's tasks, keys and journals.
  for (const role of ['coordinator', 'miner'])
    rmSync(join(options.home, role, 'devnet'), {
      recursive: true,
      force: true,
    })

  const run = async (args: string[], note: (answer: Record<string, unknown>) => string) => {
    signal?.throwIfAborted()
    const answer = await runCommand(program, args)
    onEvent({
      type: 'command',
      command: formatCommand(args),
      note: note(answer),
    })
    return answer
  }
  const start = async (name: string, args: string[], isReady: (event: Record<string, unknown>) => boolean) => {
    const { child, readyLine } = await startChild({
      name,
      command: program.command,
      args: [program.script, ...args, '--json'],
      env: program.env,
      logFile: join(folder, `${name}.log`),
      isReady: (line) => isReady(JSON.parse(line) as Record<string, unknown>),
      timeoutMs: 90_000,
      onStarted,
      signal,
    })
    onEvent({
      type: 'command',
      command: formatCommand(args),
      note: `process ${child.pid}`,
    })
    return { child, ready: JSON.parse(readyLine) as Record<string, unknown> }
  }

  onEvent({ type: 'section', title: 'A chain, and accounts with CAI' })
  const chain = await startAnvil({
    port: await findFreePort(options.rpcPort),
    env: program.env,
    logFile: join(folder, 'chain.log'),
    onStarted,
    signal,
  })
  onEvent({
    type: 'command',
    command: 'anvil',
    note: `${chain.rpcUrl}, chain id 31337`,
  })
  const minerNames = options.minerBonds.map((_, index) => `dev-miner-${index + 1}`)
  const accounts = await createAccounts({
    home: options.home,
    program,
    rpcUrl: chain.rpcUrl,
    names: ['dev-coordinator', 'dev-coordinator-op', ...minerNames.flatMap((name) => [name, `${name}-op`]), 'dev-staker-1', 'dev-staker-2'],
  })
  onEvent({
    type: 'command',
    command: 'cuckoo account new …',
    note: `${accounts.length} accounts in the keystore, funded by the faucet`,
  })
  const addressOf = (name: string) => accounts.find((account) => account.name === name)?.address as Address

  onEvent({ type: 'section', title: 'The contracts' })
  const deployed = await run(
    [
      'deploy',
      '--account',
      'dev-coordinator',
      '--rpc-url',
      chain.rpcUrl,
      '--preset',
      'devnet',
      ...(options.thaw === undefined ? [] : ['--thaw', options.thaw]),
      '--yes',
    ],
    (answer) => `staking contract ${(answer['contracts'] as NetworkContracts).staking}`,
  )

  onEvent({ type: 'section', title: 'A coordinator: 2,100,000 CAI' })
  const url = `http://127.0.0.1:${await findFreePort(options.coordinatorPort)}`
  await run(['stake', coordinatorBond, '--account', 'dev-coordinator', '--yes'], () => 'free, not yet at risk')
  await run(
    [
      'register',
      'coordinator',
      '--account',
      'dev-coordinator',
      '--operator-account',
      'dev-coordinator-op',
      '--name',
      'Devnet coordinator',
      '--url',
      url,
      '--yes',
    ],
    () => addressOf('dev-coordinator'),
  )
  await run(['escrow', 'deposit', coordinatorEscrow, '--account', 'dev-coordinator', '--yes'], () => 'out of it miners are paid')

  onEvent({ type: 'section', title: minerNames.length === 1 ? 'A miner' : `${minerNames.length} miners` })
  for (const [index, name] of minerNames.entries()) {
    await run(['stake', options.minerBonds[index] as string, '--account', name, '--yes'], () => 'free, not yet at risk')
    await run(['register', 'miner', '--account', name, '--operator-account', `${name}-op`, '--name', `Devnet miner ${index + 1}`, '--yes'], () =>
      addressOf(name),
    )
  }

  onEvent({ type: 'section', title: 'Two stakers vote' })
  for (const vote of stakerVotes.filter(({ miner }) => miner < minerNames.length)) {
    await run(['stake', vote.cai, '--account', vote.account, '--yes'], () => 'free, not yet at risk')
    await run(['vote', addressOf(minerNames[vote.miner] as string), vote.cai, '--account', vote.account, '--yes'], () => `for ${minerNames[vote.miner]}`)
  }

  onEvent({ type: 'section', title: 'The network comes up' })
  const { key } = await run(['apps', 'create', 'devnet', '--coordinator', addressOf('dev-coordinator')], () => 'an API key, kept in the devnet folder')
  const apiKeyFile = join(folder, 'api-key')
  writeFileSync(apiKeyFile, `${key}\n`, { mode: 0o600 })
  const coordinator = await start(
    'coordinator',
    ['coordinator', 'serve', '--account', 'dev-coordinator-op', '--port', new URL(url).port],
    (event) => event['event'] === 'ready',
  )
  const offered = [...options.models.flatMap((model) => ['--model', model]), ...(options.modelsDir === undefined ? [] : ['--models-dir', options.modelsDir])]
  const miners = await Promise.all(
    minerNames.map((name) => start(name, ['miner', 'start', '--account', `${name}-op`, ...offered], (event) => event['event'] === 'session-opened')),
  )

  const state: DevnetState = {
    pid: process.pid,
    startedAt: Math.floor(Date.now() / 1000),
    rpcUrl: chain.rpcUrl,
    contracts: deployed['contracts'] as NetworkContracts,
    coordinator: { node: addressOf('dev-coordinator'), url },
    miners: minerNames.map((account, index) => ({ account, node: addressOf(account), pid: miners[index]?.child.pid ?? -1 })),
    accounts,
    apiKeyFile,
  }
  saveDevnetState(options.home, state)
  onEvent({ type: 'ready', state })
  return {
    state,
    miners: miners.map(({ child }) => child),
    coordinator: coordinator.child,
  }
}
