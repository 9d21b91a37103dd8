import { z } from 'zod'
import type { TxOptions, TxReport, TxStage } from '../domain/chainPort.ts'
import type { Context } from './context.ts'
import { formatCai, formatCaiShort } from './format.ts'
import type { Output } from './output.ts'
import { zAddress, zBigint, zHash, zWei } from './schemas.ts'

/** Options of every command that sends something to the chain. */
export const txOptions = {
  dryRun: z.boolean().default(false).describe('say what would be sent and what it costs, and send nothing'),
  waitFinality: z.boolean().default(false).describe('wait until the block is final'),
}

/** What was, or with `--dry-run` would be, sent: part of the output of every command that sends. */
export const zTxReport = z.object({
  action: z.string(),
  from: zAddress,
  to: zAddress.nullable(),
  valueWei: zWei,
  gas: zBigint,
  feeWei: zWei,
  dryRun: z.boolean(),
  hash: zHash.nullable(),
  blockNumber: zBigint.nullable(),
})

/** Sends with `send`, and shows how far it is: sent, in a block, "waiting for finality, block X of Y". */
export async function runTransaction(
  context: Context<never>,
  options: { dryRun: boolean; waitFinality: boolean },
  send: (options: TxOptions) => Promise<TxReport>,
): Promise<TxReport> {
  const spinner = await context.output.spin(options.dryRun ? 'checking' : 'sending')
  const isWatched = context.output.interactive
  const show = (text: string) => (isWatched ? spinner.update(text) : context.output.note(text))
  try {
    return await send({
      dryRun: options.dryRun,
      waitForFinality: options.waitFinality,
      ...findTimeout(context, options.waitFinality),
      onStage: (stage) => {
        const text = formatStage(stage)
        // Without a person in front, only what stays true is worth a line.
        if (isWatched || stage.stage !== 'mined') show(text)
      },
    })
  } finally {
    spinner.stop()
  }
}

/** `--timeout` in milliseconds. Finality takes longer than its default, which is meant for answers: none leaves that limit to the chain's client. */
function findTimeout({ config }: Context<never>, waitFinality: boolean): { timeoutMs?: number } {
  return waitFinality && config.findRaw('timeout')?.source.kind === 'default' ? {} : { timeoutMs: config.values.timeout }
}

function formatStage(stage: TxStage): string {
  if (stage.stage === 'sent') return `sent ${stage.hash}, waiting for a block`
  if (stage.stage === 'mined') return `in block ${stage.blockNumber}`
  return `waiting for finality, block ${stage.finalizedBlock} of ${stage.blockNumber}`
}

/** Two lines on what was sent, or what would be. */
export function viewTransaction(report: TxReport, screen: Output): void {
  if (report.dryRun) {
    screen.line(`Would send '${report.action}' from ${report.from}`)
    if (report.to !== null) screen.line(`  to ${report.to}`)
    screen.line(`  value ${formatCai(report.valueWei)}, gas ${report.gas}, at most ${formatCaiShort(report.feeWei)} for gas`)
    screen.line('Nothing was sent.')
    return
  }
  screen.line(screen.style('dim', `  transaction ${report.hash}`))
  screen.line(screen.style('dim', `  block ${report.blockNumber}, ${formatCaiShort(report.feeWei)} for gas`))
}
