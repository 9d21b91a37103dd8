import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address, Hash } from '../domain/hex.ts'
import { type DemoNetworkOptions, type NetworkSummary, playOnNetwork, type SceneEvent, type Stage } from './demoNetwork.ts'
import { formatCommand, runCommand } from './runCommand.ts'

export interface DemoOptions extends DemoNetworkOptions {
  prompts: readonly string[]
  /** short tasks, sent one at a time */
  tasks: number
}

export type DemoEvent = SceneEvent | { type: 'answer'; command: string } | { type: 'text'; text: string } | { type: 'progress'; done: number; total: number }

/** What `cuckoo demo --json` prints. */
export interface DemoSummary extends NetworkSummary {
  texts: { prompt: string; text: string; task: Hash; miner: Address }[]
  tasks: number
}

/**
 * Plays the main job with real processes: a network comes up, prompts are answered with streaming text, short tasks show the
 * draw, one receipt is verified.
 * @throws as {@link playOnNetwork}
 */
export function runDemo(options: DemoOptions, onEvent: (event: DemoEvent) => void): Promise<DemoSummary> {
  return playOnNetwork(options, onEvent, async (stage) => {
    onEvent({ type: 'section', title: 'An app asks' })
    const texts = await askPrompts(stage, options, onEvent)

    onEvent({ type: 'section', title: `${options.tasks} short tasks, one at a time: stake decides` })
    const { makers, lastTask } = await sendShortTasks(stage, options, onEvent)
    return {
      makers,
      receipt: { title: 'A receipt, signed by both sides', task: lastTask ?? (texts[0]?.task as Hash) },
      own: { texts, tasks: options.tasks },
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
  const makers: (Address | null)[] = []
  let lastTask: Hash | null = null
  for (let index = 0; index < tasks; index++) {
    const { task } = await client.createTask({
      query: { waitMs: 60_000 },
      body: { model, kind: 'completion', input: { prompt: `Task ${index}: one day` }, params: { maxTokens: 4, temperature: 0 }, dryRun: false },
    })
    makers.push(task?.miner ?? null)
    lastTask = task?.id ?? lastTask
    onEvent({ type: 'progress', done: index + 1, total: tasks })
  }
  return { makers, lastTask }
}
