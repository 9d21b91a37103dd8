import { resolve } from 'node:path'
import { z } from 'zod'
import type { MinerPayments, MinerShare, ReceiptSummary } from '../../devnet/demoNetwork.ts'
import { type DemoEvent, runDemo } from '../../devnet/runDemo.ts'
import { type DemoImage, type ImageDemoEvent, runImageDemo } from '../../devnet/runImageDemo.ts'
import { optionUnfit } from '../../errors/cli.ts'
import { defineCommand } from '../defineCommand.ts'
import { viewDevnetEvent } from '../devnetView.ts'
import { assertWritable } from '../files.ts'
import type { Output, Spinner } from '../output.ts'
import { zAddress, zHash, zInteger } from '../schemas.ts'
import { getScriptPath } from '../version.ts'

const prompts = ['Tell me a story about a brave fox and a red kite.', 'Tell me a story about a small owl who found a blue lantern.']
const imagePrompts = [
  'a red circle left of a blue square',
  'two green stars',
  'an orange fish on a black background',
  'a blue ring left of a yellow star',
  'a yellow moon on black',
  'a purple house in the middle',
  'a green tree to the right of a red house',
  'three cyan boats',
  'a pink heart at the top left',
  'a red mushroom above a blue square',
  'three red hearts on black',
  'an orange ring with a cyan star',
]

const zParts = {
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
  receipt: z.object({ task: zHash, verified: z.boolean(), checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })) }),
  payments: z.array(z.object({ name: z.string(), owedCai: z.string(), voucherCai: z.string(), redeemableCai: z.string() })),
  seconds: z.number(),
}
const zTextSummary = z.object({
  ...zParts,
  texts: z.array(z.object({ prompt: z.string(), text: z.string(), task: zHash, miner: zAddress })),
  tasks: z.int(),
})
const zImageSummary = z.object({
  ...zParts,
  images: z.array(z.object({ prompt: z.string(), seed: z.int(), task: zHash, miner: zAddress, name: z.string(), sha256: zHash, seconds: z.number() })),
  sheet: z.string().describe('the PNG with all images'),
})

export const demo = defineCommand({
  description: `Plays the main job once, with real processes in a home of its own: a chain, a coordinator,
three miners and two stakers; prompts answered by a real model; many short tasks, to
show that stake decides; a receipt checked. With --image the network draws images instead,
and all of them come in one PNG that says who drew which. It leaves nothing running, and no
other file.`,
  examples: [
    { command: 'cuckoo demo', note: 'under a minute' },
    { command: 'cuckoo demo --image', note: 'images, in cuckoo-demo.png' },
    { command: 'cuckoo demo --json', note: 'one object with all that came out' },
  ],
  args: z.object({}),
  options: z.object({
    image: z.boolean().default(false).describe('draw images from prompts'),
    out: z.string().min(1).optional().describe('file for the images; default: cuckoo-demo.png').meta({ placeholder: 'file' }),
    tasks: zInteger(1, 10_000).optional().describe('short tasks to draw miners for; default: 200').meta({ placeholder: 'number' }),
    model: z.string().optional().describe('model that the miners run; default: cuckoo/storyteller, or cuckoo/blocks for images').meta({ placeholder: 'model' }),
    modelsDir: z.string().optional().describe('folder with models in <owner>/<model>, searched first').meta({ config: 'modelsDir', placeholder: 'dir' }),
  }),
  output: z.union([zImageSummary, zTextSummary]),
  async run({ options }, context) {
    const { signal, output } = context
    if (options.image && options.tasks !== undefined) throw optionUnfit({ option: '--tasks', where: 'beside --image' })
    if (!options.image && options.out !== undefined) throw optionUnfit({ option: '--out', where: 'without --image' })
    const modelsDir = options.modelsDir === undefined ? undefined : resolve(options.modelsDir)
    const network = { script: getScriptPath(), modelsDir, signal }
    const spinner = await output.spin('')
    try {
      if (!options.image) {
        const { model = 'cuckoo/storyteller', tasks = 200 } = options
        return await runDemo({ ...network, model, prompts, tasks }, (event) => showDemoEvent(event, output, spinner))
      }
      const { model = 'cuckoo/blocks' } = options
      const out = resolve(options.out ?? 'cuckoo-demo.png')
      await assertWritable(out)
      return await runImageDemo({ ...network, model, prompts: imagePrompts, out }, (event) => showDemoEvent(event, output, spinner))
    } finally {
      spinner.stop()
    }
  },
  view(summary, screen) {
    const { seconds, receipt } = summary
    screen.line()
    screen.line(`Done in ${seconds} s. The receipt is ${receipt.verified ? 'signed by both sides' : 'NOT valid'}, and every process has ended.`)
    if ('sheet' in summary) screen.line(`The images: ${summary.sheet}`)
    screen.line(`Next: \`${screen.program} devnet start${'sheet' in summary ? ' --model cuckoo/blocks' : ''}\` leaves such a network up.`)
  },
})

/** Shows the demo's events as they come; the progress of the short tasks in a spinner. */
function showDemoEvent(event: DemoEvent | ImageDemoEvent, screen: Output, spinner: Spinner): void {
  if (event.type === 'progress') spinner.update(`${event.done} of ${event.total} tasks`)
  else spinner.stop()
  if (event.type === 'answer') viewDevnetEvent({ type: 'command', command: event.command, note: '' }, screen)
  else if (event.type === 'text') screen.write(event.text)
  else if (event.type === 'image') showImage(event.image, event.total, screen)
  else if (event.type === 'sheet') screen.line(`  all of them in ${event.path}`)
  else if (event.type === 'shares') showShares(event.miners, screen)
  else if (event.type === 'receipt') showChecks(event.receipt, screen)
  else if (event.type === 'payments') showPayments(event.payments, screen)
  else if (event.type !== 'progress') viewDevnetEvent(event, screen)
}

function showImage({ seed, prompt, name, seconds }: DemoImage, total: number, screen: Output): void {
  screen.line(`  ${String(seed + 1).padStart(2)} of ${total}  ${name.padEnd(12)} ${seconds.toFixed(1).padStart(5)} s  ${prompt}`)
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
