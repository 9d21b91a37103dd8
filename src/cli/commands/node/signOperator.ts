import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { writeNewFile } from '../../files.ts'
import { formatWhen } from '../../format.ts'
import { getParty } from '../../party.ts'
import { signOperator, zOperatorSignature } from '../../registration.ts'
import { zDuration, zParty, zRole, zUint64Text } from '../../schemas.ts'

export const nodeSignOperator = defineCommand({
  description: `Signs, with the account in use as operator, that it will run the node of <owner>. The
owner registers with the file on its own machine: neither key travels.`,
  examples: [{ command: 'cuckoo node sign-operator 0x7099…79c8 miner --account alice-op --out op.json', note: "on the operator's machine" }],
  args: z.object({ owner: zParty.describe("the owner's address"), role: zRole.describe('what the node is') }),
  options: z.object({
    out: z.string().optional().describe('new file to write; default: print it').meta({ placeholder: 'file' }),
    validFor: zDuration.prefault('24h').describe('how long the owner may take').meta({ placeholder: 'duration' }),
    nonce: zUint64Text.optional().describe("the owner's registration nonce; default: read from the chain").meta({ placeholder: 'number' }),
  }),
  output: zOperatorSignature.extend({ path: z.string().nullable() }),
  async run({ args, options }, context) {
    const owner = await getParty(context, args.owner)
    const [chain, operator] = [await context.ports.getChain(), await context.ports.getSigner()]
    const nonce = options.nonce ?? (await chain.getNode(owner)).nonce
    const signed = await signOperator(context, operator, { owner, role: args.role, nonce, validSeconds: Math.floor(options.validFor / 1000) })
    const path = options.out ?? null
    if (path !== null) await writeNewFile(path, `${JSON.stringify(z.encode(zOperatorSignature, signed), null, 2)}\n`)
    return { ...signed, path }
  },
  view({ path, ...signed }, screen, context) {
    if (path === null) return screen.line(JSON.stringify(z.encode(zOperatorSignature, signed), null, 2))
    screen.line(`${signed.operator} agrees to run the ${signed.role} of ${signed.owner}.`)
    screen.line(`The owner registers until ${formatWhen(signed.deadline, context.nowSeconds())} with:`)
    screen.line(`  cuckoo register ${signed.role} --operator-signature-file ${path} --name <name>`)
  },
})
