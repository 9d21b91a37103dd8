import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '../api/client.ts'
import { formatAmount } from '../domain/amount.ts'
import type { Address, Hash } from '../domain/hex.ts'
import { type CuckooProgram, createProgram, formatCommand, runCommand } from './runCommand.ts'
import { type DevnetEvent, type RunningDevnet, startDevnet } from './startDevnet.ts'

export interface MinerShare {
  name: string
  node: Address
  bondCai: string
  votesCai: string
  weightCai: string
  tasks: number
  taskShare: number
  weightShare: number
}

/** What a miner of the demo is owed, and how much of it it holds vouchers for. */
export interface MinerPayments {
  name: string
  owedCai: string
  voucherCai: string
  /** what redeeming would pay at once */
  redeemableCai: string
}

export interface ReceiptSummary {
  task: Hash
  verified: boolean
  checks: { name: string; ok: boolean; detail: string }[]
}

/** What happens in scenes of every demo. */
export type SceneEvent =
  | DevnetEvent
  | { type: 'shares'; miners: MinerShare[] }
  | { type: 'receipt'; receipt: ReceiptSummary }
  | { type: 'payments'; payments: MinerPayments[] }

/** What every demo's --json says of its network. */
export interface NetworkSummary {
  chainId: number
  stakingContract: Address
  coordinator: Address
  miners: MinerShare[]
  receipt: ReceiptSummary
  payments: MinerPayments[]
  seconds: number
}

/** What the scenes of one demo leave to the last ones, which all share. */
export interface Played<T> {
  /** who did each task that counts; null: nobody */
  makers: readonly (Address | null)[]
  /** `files`: media that the receipt must name */
  receipt: { title: string; task: Hash; files?: readonly string[] }
  own: T
}

/** Bonds of a demo's three miners in CAI: 1 to 2 to 4. */
const minerBonds = ['21000', '42000', '84000'] as const

export interface DemoNetworkOptions {
  /** path of bin/cuckoo.js */
  script: string
  model: string
  modelsDir: string | undefined
  signal: AbortSignal
}

/** What scenes are played on. */
export interface Stage {
  devnet: RunningDevnet
  program: CuckooProgram
  /** an app's */
  client: Client
  /** removed afterwards */
  home: string
}

/**
 * Plays on a network of real processes in a home of its own, then shows who worked, one receipt and what is owed, ends them all
 * and removes the home.
 * @throws what {@link startDevnet} throws, and the signal's reason when it is aborted
 */
export async function playOnNetwork<T>(
  options: DemoNetworkOptions,
  onEvent: (event: SceneEvent) => void,
  play: (stage: Stage) => Promise<Played<T>>,
): Promise<NetworkSummary & T> {
  const startedAt = performance.now()
  const { script, model, modelsDir, signal } = options
  const home = mkdtempSync(join(tmpdir(), 'cuckoo-demo-'))
  let devnet: RunningDevnet | undefined
  let client: Client | undefined
  try {
    devnet = await startDevnet({ home, script, rpcPort: 0, coordinatorPort: 0, minerBonds, thaw: undefined, models: [model], modelsDir }, onEvent, signal)
    const { coordinator, apiKeyFile } = devnet.state
    client = createClient({ url: coordinator.url, apiKey: readFileSync(apiKeyFile, 'utf8').trim(), allowPrivate: true, timeoutMs: 120_000 })
    const interrupted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    const stage: Stage = { devnet, program: createProgram({ script, home }), client, home }
    const scenes = async () => {
      const { own, ...played } = await play(stage)
      return { ...(await playLastScenes(stage, played, onEvent)), ...own, seconds: toSeconds(startedAt) }
    }
    return await Promise.race([scenes(), interrupted])
  } finally {
    await client?.close()
    await devnet?.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

/** Seconds since `startedAt`, a reading of `performance.now()`, to a tenth. */
export function toSeconds(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 100) / 10
}

async function playLastScenes(
  { devnet, program }: Stage,
  { makers, receipt: { title, task, files = [] } }: Omit<Played<unknown>, 'own'>,
  onEvent: (event: SceneEvent) => void,
): Promise<Omit<NetworkSummary, 'seconds'>> {
  const miners = await getShares(program, devnet, makers)
  onEvent({ type: 'shares', miners })

  onEvent({ type: 'section', title })
  const receipt = await verifyReceipt(program, task, files, onEvent)

  onEvent({ type: 'section', title: 'Vouchers, signed by the coordinator' })
  const payments = await getPayments(program, devnet)
  onEvent({ type: 'payments', payments })
  const { contracts, coordinator } = devnet.state
  return { chainId: 31337, stakingContract: contracts.staking, coordinator: coordinator.node, miners, receipt, payments }
}

interface ListedNode {
  node: Address
  bondWei: string
  votesWei: string
  weightWei: string
}

/** Stake and tasks of every miner. */
async function getShares(program: CuckooProgram, devnet: RunningDevnet, makers: Played<unknown>['makers']): Promise<MinerShare[]> {
  const { nodes } = (await runCommand(program, ['nodes', '--role', 'miner'])) as { nodes: ListedNode[] }
  const totalWei = nodes.reduce((sum, node) => sum + BigInt(node.weightWei), 0n)
  return devnet.state.miners.map(({ account, node }) => {
    const listed = nodes.find((candidate) => candidate.node === node) as ListedNode
    const done = makers.filter((maker) => maker === node).length
    return {
      name: account,
      node,
      bondCai: formatAmount(BigInt(listed.bondWei)),
      votesCai: formatAmount(BigInt(listed.votesWei)),
      weightCai: formatAmount(BigInt(listed.weightWei)),
      tasks: done,
      taskShare: done / makers.length,
      weightShare: Number((BigInt(listed.weightWei) * 1_000_000n) / totalWei) / 1_000_000,
    }
  })
}

/** What each miner is owed, as `cuckoo vouchers list` tells it. */
async function getPayments(program: CuckooProgram, devnet: RunningDevnet): Promise<MinerPayments[]> {
  const read = async ({ account, node }: { account: string; node: Address }): Promise<MinerPayments> => {
    const answer = await runCommand(program, ['vouchers', 'list', node])
    const { holdings, paidWei } = answer as { holdings: { owedWei: string; voucher: { cumulativeWei: string } | null }[]; paidWei: string }
    const owedWei = holdings.reduce((sum, holding) => sum + BigInt(holding.owedWei), 0n)
    const voucherWei = holdings.reduce((sum, holding) => sum + BigInt(holding.voucher?.cumulativeWei ?? 0), 0n)
    return { name: account, owedCai: formatAmount(owedWei), voucherCai: formatAmount(voucherWei), redeemableCai: formatAmount(BigInt(paidWei)) }
  }
  return Promise.all(devnet.state.miners.map(read))
}

/** Checks the receipt of `task` with the command that people type. */
async function verifyReceipt(program: CuckooProgram, task: Hash, files: readonly string[], onEvent: (event: SceneEvent) => void): Promise<ReceiptSummary> {
  const args = ['receipt', 'verify', task, ...files.flatMap((file) => ['--file', file])]
  const answer = (await runCommand(program, args)) as {
    verified: boolean
    checks: ReceiptSummary['checks']
  }
  onEvent({
    type: 'command',
    command: formatCommand(args),
    note: answer.verified ? 'verified' : 'NOT verified',
  })
  const receipt = { task, verified: answer.verified, checks: answer.checks }
  onEvent({ type: 'receipt', receipt })
  return receipt
}
