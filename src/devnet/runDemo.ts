import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address, Hash } from '../domain/hex.ts'
import {
  getPayments,
  getShares,
  type MinerPayments,
  type MinerShare,
  playOnNetwork,
  type ReceiptSummary,
  type SceneEvent,
  type Stage,
  verifyReceipt,
} from './demoNetwork.ts'
import { formatCommand, runCommand } from './runCommand.ts'

export interface DemoOptions {
  /** path of bin/cuckoo.js */
  script: string
  model: string
  modelsDir: string | undefined
  prompts: readonly string[]
  /** short tasks, sent one at a time */
  tasks: number
  signal: AbortSignal
}

export type DemoEvent = SceneEvent | { type: 'answer'; command: string } | { type: 'text'; text: string } | { type: 'progress'; done: number; total: number }

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

/**
 * Plays the main job with real processes: a network comes up, prompts are answered with streaming text, short tasks show the
 * draw, one receipt is verified.
 * @throws as {@link playOnNetwork}
 */
export function runDemo(options: DemoOptions, onEvent: (event: DemoEvent) => void): Promise<DemoSummary> {
  const startedAt = performance.now()
  return playOnNetwork(options, onEvent, async (stage) => {
    const { devnet, program } = stage
    onEvent({ type: 'section', title: 'An app asks' })
    const texts = await askPrompts(stage, options, onEvent)

    onEvent({ type: 'section', title: `${options.tasks} short tasks, one at a time: stake decides` })
    const { counts, lastTask } = await sendShortTasks(stage, options, onEvent)
    const miners = await getShares(program, devnet, counts, options.tasks)
    onEvent({ type: 'shares', miners })

    onEvent({ type: 'section', title: 'A receipt, signed by both sides' })
    const receipt = await verifyReceipt(program, lastTask ?? (texts[0]?.task as Hash), onEvent)

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
  })
}

async function askPrompts({ program, home }: Stage, { prompts, model }: DemoOptions, onEvent: (event: DemoEvent) => void): Promise<DemoSummary['texts']> {
  const texts: DemoSummary['texts'] = []
  for (const prompt of prompts) {
    const args = ['run', prompt, '--model', model, '--temperature', '0.7', '--max-tokens', '120']
    onEvent({ type: 'answer', command: formatCommand(args) })
    const saved = join(home, 'answer.json')
    await runCommand(program, [...args, '--save', saved], (text) => onEvent({ type: 'text', text }))
    const { text, task, miner } = JSON.parse(readFileSync(saved, 'utf8')) as DemoSummary['texts'][number]
    texts.push({ prompt, text, task, miner })
  }
  return texts
}

async function sendShortTasks({ client }: Stage, { model, tasks }: DemoOptions, onEvent: (event: DemoEvent) => void) {
  const counts = new Map<Address, number>()
  let lastTask: Hash | null = null
  for (let index = 0; index < tasks; index++) {
    const { task } = await client.createTask({
      query: { waitMs: 60_000 },
      body: { model, kind: 'completion', input: { prompt: `Task ${index}: one day` }, params: { maxTokens: 4, temperature: 0 }, dryRun: false },
    })
    if (task?.miner) counts.set(task.miner, (counts.get(task.miner) ?? 0) + 1)
    lastTask = task?.id ?? lastTask
    onEvent({ type: 'progress', done: index + 1, total: tasks })
  }
  return { counts, lastTask }
}
