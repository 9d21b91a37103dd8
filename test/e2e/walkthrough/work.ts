import { join } from 'node:path'
import type { Address, Hash } from '../../../src/domain/hex.ts'
import type { Stage } from './stage.ts'

export interface Work {
  task: Hash
  miner: Address
  text: string
}

const prompts = ['Tell me a story about a fox.', 'Tell me a story about a red kite.', 'Tell me a story about a boat.', 'Tell me a story about the moon.']

/** One task by each of `miners`, in their order: prompts are sent until the draw has chosen each of them. */
export async function workFor(stage: Stage, miners: readonly string[]): Promise<Record<string, Work>> {
  const done: Record<string, Work> = {}
  const missing = () => miners.filter((name) => done[name] === undefined)
  for (let count = 0; missing().length > 0; count++) {
    // The least of four miners draws a task with 1/8 or more: 150 in a row miss it once in 10^8 plays.
    if (count === 150) throw new Error(`no task for ${missing().join(', ')} in ${count} draws`)
    const prompt = prompts[count % prompts.length] as string
    const { task, miner, text } = await stage.type(null, 'run', prompt, '--max-tokens', '24', '--temperature', '0', '--seed', String(count))
    const name = miners.find((candidate) => stage.addressOf(candidate) === miner)
    if (name !== undefined && done[name] === undefined) done[name] = { task: task as Hash, miner: miner as Address, text: String(text) }
  }
  return done
}

/** The receipt of a task with its content, in a file. */
export async function saveReceipt(stage: Stage, task: Hash, name: string): Promise<string> {
  const file = join(stage.home, `${name}.json`)
  await stage.type(null, 'receipt', 'show', task, '--save', file)
  return file
}
