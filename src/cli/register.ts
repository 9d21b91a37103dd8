import { z } from 'zod'
import { bondThresholdWei, type Role } from '../domain/node.ts'
import { nothingToDo } from '../errors/cli.ts'
import { type Command, defineCommand, type Example } from './defineCommand.ts'
import { formatCai } from './format.ts'
import { getOperatorProof, operatorOptions } from './registration.ts'
import { zAddress, zAmountOrAll, zPercent, zRole, zWei } from './schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from './transactions.ts'

/** Options that describe a node to people; `register` and `node set-profile` share them. */
export const profileOptions = {
  name: z.string().describe('what people call it, 1 to 64 bytes'),
  url: z.string().describe('public URL of the node').meta({ placeholder: 'url' }),
  description: z.string().describe('up to 1,024 bytes').meta({ placeholder: 'text' }),
}

/** `register miner` and `register coordinator` differ in the role, in their texts, and in whether a URL is needed. */
export function defineRegister(role: Role, texts: { description: string; examples: readonly [Example, ...Example[]] }): Command {
  return defineCommand({
    ...texts,
    args: z.object({}),
    options: z.object({
      ...operatorOptions,
      name: profileOptions.name,
      url: role === 'coordinator' ? profileOptions.url.describe('where miners and apps find it').meta({ placeholder: 'url' }) : profileOptions.url.default(''),
      description: profileOptions.description.default(''),
      voterShare: zPercent.prefault('50').describe("voters' part of the income in percent").meta({ placeholder: 'percent' }),
      bond: zAmountOrAll.prefault('all').describe('CAI of what is free, or all').meta({ placeholder: 'amount|all' }),
      ...txOptions,
    }),
    output: zTxReport.extend({ node: zAddress, role: zRole, operator: zAddress, bondWei: zWei, voterShareBps: z.int() }),
    async run({ options }, context) {
      const [chain, signer] = [await context.ports.getChain(), await context.ports.getSigner(options)]
      const account = await chain.getAccount(signer.address)
      const bondWei = options.bond === 'all' ? account.freeWei : options.bond
      if (bondWei === 0n)
        throw nothingToDo({ what: 'Nothing is free to bond', next: `Stake more than ${formatCai(bondThresholdWei[role])} first: \`cuckoo stake <amount>\`.` })
      const proof = await getOperatorProof(context, options, { owner: signer.address, role, nonce: account.node?.nonce ?? 0n })
      if (proof.operator === signer.address) context.output.warn('operator and owner are the same key: whoever gets into the running node gets the bond too')
      if (!options.dryRun) await context.prompts.confirm(`Bond ${formatCai(bondWei)}, which can then be slashed, as a ${role}?`)
      const { name, url, description, voterShare: voterShareBps } = options
      const request = { role, ...proof, voterShareBps, bondWei, valueWei: 0n, profile: { name, url, description } }
      const report = await runTransaction(context, options, (tx) => chain.register(signer, request, tx))
      return { ...report, node: signer.address, role, operator: proof.operator, bondWei, voterShareBps }
    },
    view(report, screen) {
      if (!report.dryRun) {
        screen.line(`Registered ${report.role} ${screen.style('bold', report.node)} with a bond of ${formatCai(report.bondWei)}.`)
        screen.line(`It runs with the operator ${report.operator}:`)
        screen.line(`  ${screen.program} ${report.role === 'miner' ? 'miner start --model cuckoo/storyteller' : 'coordinator serve'} --account <operator>`)
      }
      viewTransaction(report, screen)
    },
  })
}
