import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../api/client.ts'
import { formatAmount } from '../domain/amount.ts'
import type { Address, Hash } from '../domain/hex.ts'
import { type CuckooProgram, createProgram, formatCommand, runCommand } from './runCommand.ts'
import { type DevnetEvent, type RunningDevnet, startDevnet } from './startDevnet.ts'

export interface DemoOptions {
  /** path of bin/cuckoo.js */
  script: string
  model: string
  prompts: readonly string[]
  /** short tasks, sent one at a time */
  tasks: number
  signal: AbortSignal
}

export type DemoEvent =
  | DevnetEvent
  | { type: 'answer'; command: string }
  | { type: 'text'; text: string }
  | { type: 'progress'; done: number; total: number }
  | { type: 'shares'; miners: MinerShare[] }
  | { type: 'receipt'; receipt: ReceiptSummary }
  | { type: 'payments'; payments: MinerPayments[] }

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

/** What `cuckoo demo --json` prints. */
export interface DemoSummary {
  chainId: number
  stakingContract: Address
  coordinator: Address
  miners: MinerShare[]
  texts: { prompt: string; text: string; task: Hash; miner: Address }[]
  tasks: number
  receipt: ReceiptSummary
  payments: MinerPayments[]
  seconds: number
}

/** Bonds of the demo's three miners in CAI: 1 to 2 to 4. */
export const demoMinerBonds = ['21000', '42000', '84000'] as const

/**
 * Plays the main job with real processes in a home of its own, then ends them all and removes the home: a network comes up,
 * prompts are answered with streaming text, short tasks show the draw, one receipt is verified.
 * @throws what {@link startDevnet} throws, and the signal's reason when it is aborted
 */
export async function runDemo(options: DemoOptions, onEvent: (event: DemoEvent) => void): Promise<DemoSummary> {
  const startedAt = performance.now()
  const home = mkdtempSync(join(tmpdir(), 'cuckoo-demo-'))
  let devnet: RunningDevnet | undefined
  try {
    devnet = await startDevnet(
      {
        home,
        script: options.script,
        rpcPort: 0,
        coordinatorPort: 0,
        minerBonds: demoMinerBonds,
        thaw: undefined,
        models: [options.model],
        modelsDir: undefined,
      },
      onEvent,
      options.signal,
    )
    const interrupted = new Promise<never>((_, reject) => options.signal.addEventListener('abort', () => reject(options.signal.reason), { once: true }))
    return await Promise.race([playScenes(options, home, devnet, startedAt, onEvent), interrupted])
  } finally {
    await devnet?.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

async function playScenes(
  options: DemoOptions,
  home: string,
  devnet: RunningDevnet,
  startedAt: number,
  onEvent: (event: DemoEvent) => void,
): Promise<DemoSummary> {
  const program = createProgram({ script: options.script, home })
  const client = createClient({
    url: devnet.state.coordinator.url,
    apiKey: readFileSync(devnet.state.apiKeyFile, 'utf8').trim(),
    allowPrivate: true,
    timeoutMs: 120_000,
  })
  try {
    onEvent({ type: 'section', title: 'An app asks' })
    const texts: DemoSummary['texts'] = []
    for (const prompt of options.prompts) {
      const args = ['run', prompt, '--model', options.model, '--temperature', '0.7', '--max-tokens', '120']
      onEvent({ type: 'answer', command: formatCommand(args) })
      const saved = join(home, 'answer.json')
      await runCommand(program, [...args, '--save', saved], (text) => onEvent({ type: 'text', text }))
      const { text, task, miner } = JSON.parse(readFileSync(saved, 'utf8')) as {
        text: string
        task: Hash
        miner: Address
      }
      texts.push({ prompt, text, task, miner })
    }

    onEvent({
      type: 'section',
      title: `${options.tasks} short tasks, one at a time: stake decides`,
    })
    const counts = new Map<Address, number>()
    let lastTask: Hash = texts[0]?.task as Hash
    for (let index = 0; index < options.tasks; index++) {
      const { task } = await client.createTask({
        query: { waitMs: 60_000 },
        body: {
          model: options.model,
          kind: 'completion',
          input: { prompt: `Task ${index}: one day` },
          params: { maxTokens: 4, temperature: 0 },
          dryRun: false,
        },
      })
      if (task?.miner) counts.set(task.miner, (counts.get(task.miner) ?? 0) + 1)
      if (task) lastTask = task.id
      onEvent({ type: 'progress', done: index + 1, total: options.tasks })
    }
    const miners = await getShares(program, devnet, counts, options.tasks)
    onEvent({ type: 'shares', miners })

    onEvent({ type: 'section', title: 'A receipt, signed by both sides' })
    const receipt = await verifyReceipt(program, lastTask, onEvent)

    onEvent({ type: 'section', title: 'Vouchers, signed by the coordinator' })
    const payments = await getPayments(program, devnet)
    onEvent({ type: 'payments', payments })
    return {
      chainId: 31337,
      stakingContract: devnet.state.contracts.staking,
      coordinator: devnet.state.coordinator.node,
      miners,
      texts,
      tasks: options.tasks,
      receipt,
      payments,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    }
  } finally {
    await client.close()
  }
}

interface ListedNode {
  node: Address
  bondWei: string
  votesWei: string
  weightWei: string
}

async function getShares(program: CuckooProgram, devnet: RunningDevnet, counts: ReadonlyMap<Address, number>, tasks: number): Promise<MinerShare[]> {
  const { nodes } = (await runCommand(program, ['nodes', '--role', 'miner'])) as { nodes: ListedNode[] }
  const totalWei = nodes.reduce((sum, node) => sum + BigInt(node.weightWei), 0n)
  return devnet.state.miners.map(({ account, node }) => {
    const listed = nodes.find((candidate) => candidate.node === node) as ListedNode
    const done = counts.get(node) ?? 0
    return {
      name: account,
      node,
      bondCai: formatAmount(BigInt(listed.bondWei)),
      votesCai: formatAmount(BigInt(listed.votesWei)),
      weightCai: formatAmount(BigInt(listed.weightWei)),
      tasks: done,
      taskShare: done / tasks,
      weightShare: Number((BigInt(listed.weightWei) * 1_000_000n) / totalWei) / 1_000_000,
    }
  })
}

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

async function verifyReceipt(program: CuckooProgram, task: Hash, onEvent: (event: DemoEvent) => void): Promise<ReceiptSummary> {
  const args = ['receipt', 'verify', task]
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
