import { z } from 'zod'
import { maxEvidenceBytes } from '../../../domain/dispute.ts'
import { evidenceEmpty, evidenceTooLarge, stageUnfit } from '../../../errors/jury.ts'
import { defineCommand } from '../../defineCommand.ts'
import { readBytes } from '../../files.ts'
import { caseArgs } from '../../jury.ts'
import { zBigint } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const juryEvidence = defineCommand({
  description: `Adds a file to a case for jurors to read, 24,576 bytes at most. Anybody may, until the case
is closed. It is public from then on, for ever. It asks before it sends.`,
  examples: [{ command: 'cuckoo jury evidence 3 rerun.json', note: 'what a run of the model gave' }],
  args: z.object({ ...caseArgs, file: z.string().describe('what jurors should read') }),
  options: z.object(txOptions),
  output: zTxReport.extend({ caseId: zBigint, bytes: z.int() }),
  async run({ args, options }, context) {
    const { case: caseId, file } = args
    const data = await readBytes(file)
    const bytes = data.length
    if (bytes === 0) throw evidenceEmpty({ path: file })
    if (bytes > maxEvidenceBytes) throw evidenceTooLarge({ bytes, maximum: maxEvidenceBytes })
    const chain = await context.ports.getChain()
    const { stage } = await chain.getDispute(caseId)
    if (stage === 'closed') {
      throw stageUnfit({ caseId, stage, action: 'evidence', when: 'no longer', next: `\`cuckoo jury status ${caseId}\` shows how it ended.` })
    }
    const signer = await context.ports.getSigner(options)
    context.output.warn(`This publishes ${file} on the chain: ${bytes} bytes, for everybody, for ever.`)
    if (!options.dryRun) await context.prompts.confirm(`Publish ${file} in case ${caseId}?`)
    const report = await runTransaction(context, options, (tx) => chain.addEvidence(signer, { caseId, data }, tx))
    return { ...report, caseId, bytes }
  },
  view(report, screen) {
    if (!report.dryRun) screen.line(`Added ${report.bytes} bytes to case ${report.caseId}.`)
    viewTransaction(report, screen)
  },
})
