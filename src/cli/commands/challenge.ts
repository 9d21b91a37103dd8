import { z } from 'zod'
import type { Chain } from '../../domain/chainPort.ts'
import type { Evidence } from '../../domain/dispute.ts'
import type { Hash } from '../../domain/hex.ts'
import type { Receipt } from '../../domain/receipt.ts'
import { toSlashBps } from '../../domain/toSlashBps.ts'
import { evidenceMissing, evidenceUnreadable } from '../../errors/jury.ts'
import { assertEvidence, assertInTime, assertReceiptSigned, getCourtClock, toEvidence, toEvidenceBytes } from '../courtChecks.ts'
import { defineCommand } from '../defineCommand.ts'
import { readTextFile } from '../files.ts'
import { formatCai, formatCaiShort } from '../format.ts'
import { loadBareReceipt, type ReceiptBundle, receiptArgs, receiptOptions } from '../receipts.ts'
import { zAddress, zBigint, zHash, zWei } from '../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../transactions.ts'

export const challenge = defineCommand({
  description: `Takes a receipt to court: a jury of miners decides whether the output is what the model
gives for the input. The evidence goes onto the chain: prompt and output are public
from then on, for ever. Everything is checked here first. It asks before it sends.`,
  examples: [
    { command: 'cuckoo challenge 0x…', note: 'id of a task' },
    { command: 'cuckoo challenge receipt.json --dry-run', note: 'what it would cost' },
    { command: 'cuckoo challenge receipt.json --evidence content.json', note: 'content kept apart' },
  ],
  args: z.object(receiptArgs),
  options: z.object({
    ...txOptions,
    ...receiptOptions,
    evidence: z.string().optional().describe('JSON file {input, params, output}, where the receipt comes without').meta({ placeholder: 'file' }),
  }),
  output: zTxReport.extend({
    caseId: zBigint.nullable().describe('null on a dry run'),
    task: zHash,
    accused: zAddress,
    bondWei: zWei,
    slashWei: zWei.describe('what a conviction would take now'),
    evidenceBytes: z.int(),
    warning: z.string(),
  }),
  async run({ args, options }, context) {
    const { receipt, content } = await loadBareReceipt(context, args.receipt, options)
    const evidence = await loadEvidence(args.receipt, content, options.evidence)
    const chain = await context.ports.getChain()
    const clock = await getCourtClock(chain)
    assertEvidence(receipt, evidence)
    assertInTime(args.receipt, Number(receipt.assignment.issuedAt), clock)
    await assertReceiptSigned(context, chain, clock, args.receipt, receipt)
    const stakes = await getStakes(chain, receipt)
    const warning = `This publishes the prompt, the parameters and the output on the chain: ${toEvidenceBytes(evidence)} bytes, for everybody, for ever.`
    context.output.warn(warning)
    context.output.note(describeStakes(stakes))
    const signer = await context.ports.getSigner(options)
    const { bondWei } = stakes
    if (!options.dryRun) await context.prompts.confirm(`Publish this and post ${formatCai(bondWei)}?`)
    const report = await runTransaction(context, options, (tx) => chain.challenge(signer, { receipt, evidence, bondWei }, tx))
    const caseId = report.dryRun ? null : await findOpenedCase(chain, receipt.assignment.taskId, signer.address)
    const { taskId: task, miner: accused } = receipt.assignment
    return { ...report, caseId, task, accused, bondWei, slashWei: stakes.slashWei, evidenceBytes: toEvidenceBytes(evidence), warning }
  },
  view(report, screen) {
    if (!report.dryRun) {
      screen.line(`Challenged ${report.accused} over task ${report.task}.`)
      screen.line(`\`${screen.program} jury status${report.caseId === null ? '' : ` ${report.caseId}`}\` shows how it goes.`)
    }
    viewTransaction(report, screen)
  },
})

/** Evidence of the file that was named, else of the receipt's own content. */
async function loadEvidence(receipt: string, content: Pick<ReceiptBundle, 'content' | 'output'> | null, path: string | undefined): Promise<Evidence> {
  if (path !== undefined) return readEvidence(path)
  if (content === null) throw evidenceMissing({ receipt })
  return toEvidence({ input: content.content.input, params: content.content.params, output: content.output })
}

// Loose on purpose: what counts is that the hashes fit, whatever a model's input looks like.
const zEvidenceFile = z.object({ input: z.json(), params: z.json(), output: z.json() })

async function readEvidence(path: string): Promise<Evidence> {
  const text = await readTextFile(path)
  try {
    return toEvidence(zEvidenceFile.parse(JSON.parse(text)))
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined
    throw evidenceUnreadable({ path, problem: issue === undefined ? 'it is not JSON' : `${issue.path.join('.') || 'the file'}: ${issue.message}` }, { cause })
  }
}

interface Stakes {
  bondWei: bigint
  slashBps: number
  slashWei: bigint
}

async function getStakes(chain: Chain, { assignment }: Receipt): Promise<Stakes> {
  const [bondWei, node, record] = await Promise.all([
    chain.getChallengeBond(assignment.miner),
    chain.getNode(assignment.miner),
    chain.getConvictions(assignment.miner),
  ])
  const slashBps = toSlashBps(record, Number(assignment.issuedAt))
  return { bondWei, slashBps, slashWei: ((node.bondWei + node.thawingBondWei) * BigInt(slashBps)) / 10_000n }
}

function describeStakes({ bondWei, slashBps, slashWei }: Stakes): string {
  return [
    `The bond is ${formatCai(bondWei)}.`,
    `Found invalid, it comes back, the miner loses ${slashBps / 100} % of its bond (${formatCaiShort(slashWei)}), and a quarter of what the jurors' pay leaves of that is yours one thaw later.`,
    'Found valid, it is lost: it pays the jurors.',
    'Undecided, what jurors have not earned of it comes back.',
  ].join(' ')
}

/** The number of the case that was just opened; null where the node that answers has not seen it yet. */
async function findOpenedCase(chain: Chain, taskId: Hash, challenger: string): Promise<bigint | null> {
  for (const { caseId } of (await chain.listOpenDisputes()).filter((dispute) => dispute.challenger === challenger)) {
    const { reason } = await chain.getCase(caseId)
    if (reason.kind === 'challenge' && reason.receipt.assignment.taskId === taskId) return caseId
  }
  return null
}
