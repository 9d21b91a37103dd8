import { z } from 'zod'
import { zAddress, zHash } from '../../api/wire.ts'
import { type DemoEvent, type MinerShare, runDemo } from '../../devnet/runDemo.ts'
import { defineCommand } from '../defineCommand.ts'
import { viewDevnetEvent } from '../devnetView.ts'
import type { Output, Spinner } from '../output.ts'
import { programScript, programWords } from '../program.ts'
import { zInteger } from '../schemas.ts'

const prompts = [
  'Tell me a story about a brave fox and a red kite.',
  'Write a story about a rabbit named Lily and a blue boat.',
  'Tell me a story about a small bear who finds a golden key in the forest.',
]

export const demo = defineCommand({
  description: `Plays the main job once, with real processes in a home of its own: a chain, stake,
votes, a coordinator, three miners, a real model. Prompts are answered as you
watch, short tasks show that stake decides, and one receipt is verified. It
leaves nothing running.`,
  examples: [
    { command: 'cuckoo demo', note: 'under three minutes' },
    { command: 'cuckoo demo --json', note: 'one summary object' },
  ],
  args: z.object({}),
  options: z.object({
    tasks: zInteger(1, 10_000).default(200).describe('short tasks to send'),
    model: z.string().default('cuckoo/storyteller').describe('model that the miners run'),
  }),
  output: z.object({
    chainId: z.int(),
    stakingContract: zAddress,
    coordinator: zAddress,
    miners: z.array(
      z.object({
        name: z.string(),
        node: zAddress,
        bondCai: z.string(),
        votesCai: z.string(),
        weightCai: z.string(),
        tasks: z.int(),
        taskShare: z.number(),
        weightShare: z.number(),
      }),
    ),
    texts: z.array(z.object({ prompt: z.string(), text: z.string(), task: zHash, miner: zAddress })),
    tasks: z.int(),
    receipt: z.object({ task: zHash, verified: z.boolean(), checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })) }),
    seconds: z.number(),
  }),
  async run({ options }, context) {
    const screen = createDemoScreen(context.output)
    try {
      return await runDemo({ script: programScript, model: options.model, prompts, tasks: options.tasks, signal: context.signal }, screen.show)
    } finally {
      screen.close()
    }
  },
  view(summary, screen) {
    screen.line()
    screen.line(`Done in ${summary.seconds} s; nothing was left running. Next: \`${programWords} devnet start\` keeps such a network up.`)
  },
})

/** Shows the scenes as they happen: nothing with --json. */
function createDemoScreen(output: Output): { show(event: DemoEvent): void; close(): void } {
  let spinner: Spinner | null = null
  const show = (event: DemoEvent) => {
    if (event.type === 'answer') {
      output.line()
      output.line(`  ${output.style('dim', '$')} ${event.command}`)
    } else if (event.type === 'text') output.write(event.text)
    else if (event.type === 'progress') spinner?.update(`${event.done} of ${event.total}`)
    else if (event.type === 'shares') viewShares(event.miners, output)
    else if (event.type === 'receipt') {
      for (const { name, ok, detail } of event.receipt.checks)
        output.line(`    ${ok ? output.style('green', '✓') : output.style('red', '✗')} ${name}: ${detail}`)
    } else viewDevnetEvent(event, output)
  }
  return {
    show: (event) => {
      if (event.type === 'progress' && event.done === 1) void output.spin('tasks').then((started) => (spinner = started))
      if (event.type === 'progress' && event.done === event.total) spinner?.stop()
      show(event)
    },
    close: () => spinner?.stop(),
  }
}

function viewShares(miners: readonly MinerShare[], output: Output): void {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  output.table({
    columns: [
      { title: '  miner' },
      { title: 'weight, CAI', align: 'right' },
      { title: 'of weight', align: 'right' },
      { title: 'tasks', align: 'right' },
      { title: 'of tasks', align: 'right' },
    ],
    rows: miners.map((miner) => [`  ${miner.name}`, miner.weightCai, percent(miner.weightShare), String(miner.tasks), percent(miner.taskShare)]),
  })
}
