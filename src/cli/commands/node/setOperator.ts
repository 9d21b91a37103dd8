import { z } from 'zod'
import { formatDuration } from '../../../config/duration.ts'
import { nodeNotRegistered } from '../../../errors/staking.ts'
import { defineCommand } from '../../defineCommand.ts'
import { getOperatorProof, operatorOptions } from '../../registration.ts'
import { zAddress, zSeconds } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

export const nodeSetOperator = defineCommand({
  description: `Gives the own node another operator key. The old one stays bound to this owner for ever;
its signatures count for one thaw period more.`,
  examples: [
    { command: 'cuckoo node set-operator --operator-account alice-op2', note: 'a key of this machine' },
    { command: 'cuckoo node set-operator --operator-signature-file op.json', note: "another machine's key, signed there" },
  ],
  args: z.object({}),
  options: z.object({ ...operatorOptions, ...txOptions }),
  output: zTxReport.extend({ operator: zAddress, previous: zAddress, previousCountsSeconds: zSeconds }),
  async run({ options }, context) {
    const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
    const [node, { thawSeconds }] = await Promise.all([chain.getNode(signer.address), chain.getParameters()])
    if (node.role === 'none') throw nodeNotRegistered({ node: signer.address })
    const proof = await getOperatorProof(context, options, { owner: signer.address, role: node.role, nonce: node.nonce })
    if (proof.operator === signer.address) context.output.warn('operator and owner are the same key: whoever gets into the running node gets the bond too')
    const report = await runTransaction(context, options, (tx) => chain.setOperator(signer, proof, tx))
    return { ...report, operator: proof.operator, previous: node.operator, previousCountsSeconds: thawSeconds }
  },
  view(report, screen) {
    if (!report.dryRun) {
      screen.line(`The operator is now ${report.operator}.`)
      screen.line(`Signatures of ${report.previous} count for ${formatDuration(report.previousCountsSeconds)} more.`)
    }
    viewTransaction(report, screen)
  },
})
