import { z } from 'zod'
import type { Address, Hex } from '../domain/hex.ts'
import type { Role } from '../domain/node.ts'
import type { Signer } from '../domain/ports.ts'
import { operatorSignatureUnfit, operatorUnproven } from '../errors/cli.ts'
import type { Context } from './context.ts'
import { readTextFile } from './files.ts'
import { getParty } from './party.ts'
import { zAddress, zBigint, zParty, zRole, zSeconds } from './schemas.ts'

/** Options that say who the operator is and prove that it agrees. */
export const operatorOptions = {
  operatorAccount: z.string().optional().describe('account of this machine that the node runs with; it signs here').meta({ placeholder: 'name' }),
  operator: zParty.optional().describe('operator of another machine; needs its signature').meta({ placeholder: 'address' }),
  operatorSignatureFile: z.string().optional().describe('what `cuckoo node sign-operator` wrote there').meta({ placeholder: 'file' }),
  operatorPasswordFile: z.string().optional().describe("password of --operator-account; default: like the account's").meta({ placeholder: 'file' }),
}

/** The file that `node sign-operator` writes and `--operator-signature-file` reads. */
export const zOperatorSignature = z.object({
  chainId: z.int(),
  staking: zAddress,
  owner: zAddress,
  operator: zAddress,
  role: zRole,
  nonce: zBigint,
  deadline: zSeconds,
  signature: z.string().regex(/^0x[0-9a-f]{130}$/) as unknown as z.ZodType<Hex, string>,
})
export type OperatorSignature = z.output<typeof zOperatorSignature>

/** Seconds that a signature made and used in one command stays good. */
const immediateSeconds = 3_600

export interface OperatorProof {
  operator: Address
  deadline: number
  operatorSignature: Hex
}

/** The operator's EIP-712 `Registration` over (owner, operator, role, nonce, deadline): proof that the key agrees. */
export async function signOperator(
  context: Pick<Context, 'ports' | 'nowSeconds'>,
  operator: Signer,
  fields: { owner: Address; role: Role; nonce: bigint; validSeconds: number },
): Promise<OperatorSignature> {
  const { validSeconds, ...registration } = fields
  const chain = await context.ports.getChain()
  const { latest } = await chain.getBlocks()
  // The chain judges by its own clock, which a devnet can move far ahead of this machine's.
  const deadline = Math.max(latest.timestamp, context.nowSeconds()) + validSeconds
  const { chainId, contracts } = chain.deployment
  const signature = await context.ports.signRegistration(operator, chain.deployment, { ...registration, deadline })
  return { chainId, staking: contracts.staking, ...registration, operator: operator.address, deadline, signature }
}

/**
 * The operator and its signature: made here with `--operator-account`, or read from `--operator-signature-file`.
 * @throws CUCKOO_CLI_OPERATOR_UNPROVEN when neither is given, CUCKOO_CLI_OPERATOR_SIGNATURE_UNFIT when the file is for something else
 */
export async function getOperatorProof(
  context: Pick<Context, 'ports' | 'nowSeconds'>,
  options: {
    operatorAccount?: string | undefined
    operator?: string | undefined
    operatorSignatureFile?: string | undefined
    operatorPasswordFile?: string | undefined
  },
  fields: { owner: Address; role: Role; nonce: bigint },
): Promise<OperatorProof> {
  if (options.operatorAccount !== undefined) {
    const signer = await context.ports.getNamedSigner(options.operatorAccount, options.operatorPasswordFile)
    const signed = await signOperator(context, signer, { ...fields, validSeconds: immediateSeconds })
    return { operator: signed.operator, deadline: signed.deadline, operatorSignature: signed.signature }
  }
  const path = options.operatorSignatureFile
  if (path === undefined) throw operatorUnproven({})
  const signed = await loadOperatorSignature(path)
  const chain = await context.ports.getChain()
  const expected = {
    ...fields,
    chainId: chain.deployment.chainId,
    staking: chain.deployment.contracts.staking,
    ...(options.operator === undefined ? {} : { operator: await getParty(context, options.operator) }),
  }
  for (const [field, value] of Object.entries(expected)) {
    const found = signed[field as keyof OperatorSignature]
    if (found !== value) throw operatorSignatureUnfit({ path, problem: `its ${field} is ${found}, not ${value}` })
  }
  return { operator: signed.operator, deadline: signed.deadline, operatorSignature: signed.signature }
}

async function loadOperatorSignature(path: string): Promise<OperatorSignature> {
  const text = await readTextFile(path)
  try {
    return zOperatorSignature.parse(JSON.parse(text))
  } catch (cause) {
    throw operatorSignatureUnfit({ path, problem: 'it is not what `cuckoo node sign-operator` writes' }, { cause })
  }
}
