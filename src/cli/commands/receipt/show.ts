import { z } from 'zod'
import { toPrice } from '../../../domain/receipt.ts'
import { listInputMedia, listOutputMedia } from '../../../domain/task.ts'
import { defineCommand } from '../../defineCommand.ts'
import { writeNewFile } from '../../files.ts'
import { formatCai, formatCaiShort, formatTime } from '../../format.ts'
import { formatBundle, loadReceipt, receiptArgs, receiptOptions, zReceiptBundle } from '../../receipts.ts'
import { formatUnits } from '../../units.ts'

export const receiptShow = defineCommand({
  description: `Shows a receipt: the assignment signed by the coordinator and the result signed by the
miner, with the content that their hashes cover. A file of it can be checked later, or
handed to others and brought to court, without the coordinator; it holds the prompt.`,
  examples: [
    { command: 'cuckoo receipt show 0x…', note: 'id of a task' },
    { command: 'cuckoo receipt show 0x… --save receipt.json', note: 'to keep it' },
  ],
  args: z.object(receiptArgs),
  options: z.object({
    ...receiptOptions,
    save: z.string().optional().describe('write the receipt with its content to this new file').meta({ placeholder: 'file' }),
  }),
  output: zReceiptBundle,
  async run({ args, options }, context) {
    const bundle = await loadReceipt(context, args.receipt, options)
    if (options.save !== undefined) {
      await writeNewFile(options.save, formatBundle(bundle))
      context.output.note(`Kept in ${options.save}, with the prompt and the answer.`)
    }
    return bundle
  },
  view({ receipt, content, output, chainId, stakingContract }, screen) {
    const { assignment, result } = receipt
    const media = [...listInputMedia(content), ...listOutputMedia(output)].map(({ type, bytes, sha256 }) => [
      type.split('/')[0] as string,
      `${sha256}, ${bytes} bytes`,
    ])
    const end = 'finishReason' in output ? [['ends by', output.finishReason]] : []
    const rows = [
      ['task', assignment.taskId],
      ['kind', `${content.kind}, attempt ${assignment.attempt}`],
      ['issued', formatTime(Number(assignment.issuedAt))],
      ['coordinator', assignment.coordinator],
      ['miner', assignment.miner],
      ['manifest', assignment.manifest],
      ['input', assignment.inputHash],
      ['params', assignment.paramsHash],
      ['output', result.outputHash],
      ['seed', String(assignment.seed)],
      ...end,
      ...media,
      ['price', `${formatCaiShort(toPrice(receipt))} for ${formatUnits(result.units, content.kind)}, at most ${formatCai(assignment.maxPriceWei)}`],
      ['chain', `${chainId}, contract ${stakingContract}`],
    ]
    for (const [name, value] of rows) screen.line(`${(name as string).padEnd(11)} ${value}`)
    screen.line(`\`${screen.program} receipt verify\` checks both signatures and every hash;`)
    screen.line(`\`${screen.program} challenge\` takes it to court when the output is not the model's.`)
  },
})
