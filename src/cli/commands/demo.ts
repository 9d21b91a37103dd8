import { z } from 'zod'
import { type DemoEvent, type MinerPayments, type MinerShare, type ReceiptSummary, runDemo } from '../../devnet/runDemo.ts'
import { defineCommand } from '../defineCommand.ts'
import { viewDevnetEvent } from '../devnetView.ts'
import type { Output, Spinner } from '../output.ts'
import { zAddress, zHash, zInteger } from '../schemas.ts'
import { getScriptPath } from '../version.ts'

const prompts = ['Tell me a story about a brave fox and a red kite.', 'Tell me a story about a small owl who found a blue lantern.']

const zSummary = z.object({
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
  payments: z.array(z.object({ name: z.string(), owedCai: z.string(), voucherCai: z.string(), redeemableCai: z.string() })),
  seconds: z.number(),
})

export const demo = defineCommand({
  description: `Plays the main job once, with real processes in a home of its own: a chain, a coordinator,
three miners and two stakers; prompts answered by a real model; many short tasks, to
show that stake decides; a receipt checked. It leaves nothing running and no file.`,
  examples: [
    { command: 'cuckoo demo', note: 'two to three minutes' },
    { command: 'cuckoo demo --json', note: 'one object with all that came out' },
  ],
  args: z.object({}),
  options: z.object({
    tasks: zInteger(1, 10_000).prefault('200').describe('short tasks to draw miners for').meta({ placeholder: 'number' }),
    model: z.string().default('cuckoo/storyteller').describe('model that the miners run').meta({ placeholder: 'model' }),
  }),
  output: zSummary,
  async run({ options }, context) {
    const spinner = await context.output.spin('')
    try {
      return await runDemo({ script: getScriptPath(), model: options.model, prompts, tasks: options.tasks, signal: context.signal }, (event) =>
        showDemoEvent(event, context.output, spinner),
      )
    } finally {
      spinner.stop()
    }
  },
  view({ seconds, receipt }, screen) {
    screen.line()
    screen.line(`Done in ${seconds} s. The receipt is ${receipt.verified ? 'signed by both sides' : 'NOT valid'}, and every process has ended.`)
    screen.line(`Next: \`${screen.program} devnet start\` leaves such a network up.`)
  },
})

/** Shows the demo's events as they come; the progress of the short tasks in a spinner. */
function showDemoEvent(event: DemoEvent, screen: Output, spinner: Spinner): void {
  if (event.type === 'progress') spinner.update(`${event.done} of ${event.total} tasks`)
  else spinner.stop()
  if (event.type === 'answer') viewDevnetEvent({ type: 'command', command: event.command, note: '' }, screen)
  else if (event.type === 'text') screen.write(event.text)
  else if (event.type === 'shares') showShares(event.miners, screen)
  else if (event.type === 'receipt') showChecks(event.receipt, screen)
  else if (event.type === 'payments') showPayments(event.payments, screen)
  else if (event.type !== 'progress') viewDevnetEvent(event, screen)
}

function showChecks({ checks }: ReceiptSummary, screen: Output): void {
  for (const { name, ok } of checks) screen.line(`    ${ok ? screen.style('green', 'ok  ') : screen.style('red', 'FAIL')} ${name}`)
}

function showPayments(payments: readonly MinerPayments[], screen: Output): void {
  screen.table({
    columns: ['miner', 'owed', 'in vouchers', 'redeemable now'].map((title, index) => ({ title, align: index === 0 ? 'left' : 'right' })),
    rows: payments.map((miner) => [miner.name, `${miner.owedCai} CAI`, `${miner.voucherCai} CAI`, `${miner.redeemableCai} CAI`]),
  })
}

function showShares(miners: readonly MinerShare[], screen: Output): void {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  screen.table({
    columns: ['miner', 'bond', 'votes', 'weight', 'share of weight', 'tasks', 'share of tasks'].map((title, index) => ({
      title,
      align: index === 0 ? 'left' : 'right',
    })),
    rows: miners.map((miner) => [
      miner.name,
      miner.bondCai,
      miner.votesCai,
      miner.weightCai,
      percent(miner.weightShare),
      String(miner.tasks),
      percent(miner.taskShare),
    ]),
  })
}
