import type { Deployment, NetworkParameters } from '../domain/chainPort.ts'
import { fromHex, type Hex } from '../domain/hex.ts'
import { contractMissing, deploymentMismatch } from '../errors/chain.ts'
import { randomnessUnsupported } from '../errors/court.ts'
import { contractNames } from './abis.ts'
import { type ChainContext, createContext, readContract, runRpc } from './context.ts'
import { getBytecodes } from './deploymentSteps.ts'
import { drandEvmnet } from './drandEvmnet.ts'
import { networks } from './networks.ts'
import { readParameters } from './parameters.ts'
import { assertWiring } from './wiring.ts'

export interface VerifyOptions {
  /** default: those of the deployment */
  rpcUrls?: readonly string[]
  /** what every parameter must be; default: whatever it is */
  parameters?: NetworkParameters
}

/**
 * Reads a deployment back from the chain and returns its parameters, after checking that our code is at each address, that the
 * contracts name each other, and that the randomness is drand's evmnet with the published key (or, on the devnet, block hashes).
 * @throws CUCKOO_CHAIN_CONTRACT_MISSING when nothing, or another contract, is at an address
 * @throws CUCKOO_CHAIN_DEPLOYMENT_MISMATCH when anything else differs, naming it with both values
 * @throws CUCKOO_COURT_RANDOMNESS_UNSUPPORTED for block hashes on a public chain
 * @throws CUCKOO_CHAIN_ID_MISMATCH, CUCKOO_CHAIN_RPC_UNAVAILABLE
 */
export async function verifyDeployment(deployment: Deployment, options: VerifyOptions = {}): Promise<NetworkParameters> {
  const { network, chainId, randomness } = deployment
  if (randomness === 'blockhash' && chainId !== networks.devnet.chainId) throw randomnessUnsupported({ chainId })
  const context = createContext(deployment, { network, chainId, rpcUrls: options.rpcUrls ?? deployment.rpcUrls })
  await assertCode(context)
  await assertWiring(context)
  if (randomness === 'drand') await assertBeacon(context)
  const found = await readParameters(context)
  if (options.parameters) assertParameters(found, options.parameters)
  return found
}

async function assertCode({ client, deployment }: ChainContext): Promise<void> {
  const { contracts, chainId, randomness } = deployment
  const codes = await runRpc('getCode', () => Promise.all(contractNames.map((name) => client.getCode({ address: contracts[name] }))))
  const bytecodes = getBytecodes(randomness)
  for (const [index, contract] of contractNames.entries()) {
    const code = codes[index] ?? '0x'
    const reason = code === '0x' ? 'nothing is there' : isCodeOf(code, bytecodes[contract]) ? null : 'another contract is there'
    if (reason !== null) throw contractMissing({ contract, address: contracts[contract], chainId, reason })
  }
}

const push1 = 0x60
const push32 = 0x7f

/**
 * Whether `code` is what `bytecode` leaves on chain. Creation code ends with the code that stays, in which each immutable is a PUSH32
 * of zeros: there, and nowhere else, the two may differ. What the immutables are is read from the contracts.
 */
function isCodeOf(code: Hex, bytecode: Hex): boolean {
  const [found, creation] = [Buffer.from(fromHex(code)), Buffer.from(fromHex(bytecode))]
  if (found.length > creation.length) return false
  const template = creation.subarray(creation.length - found.length)
  for (let at = 0; at < template.length; ) {
    const opcode = template[at] as number
    const end = at + 1 + (opcode >= push1 && opcode <= push32 ? opcode - push1 + 1 : 0)
    const isImmutable = opcode === push32 && template.subarray(at + 1, end).every((byte) => byte === 0)
    if (!found.subarray(at, isImmutable ? at + 1 : end).equals(template.subarray(at, isImmutable ? at + 1 : end))) return false
    at = end
  }
  return true
}

async function assertBeacon(context: ChainContext): Promise<void> {
  const [groupKey, genesisAt, periodSeconds] = await Promise.all([
    readContract(context, 'randomness', 'groupKey', []),
    readContract(context, 'randomness', 'genesisAt', []),
    readContract(context, 'randomness', 'periodSeconds', []),
  ])
  assertSame("drand's group key", groupKey.map(toWord).join(' '), drandEvmnet.groupKey.map(toWord).join(' '))
  assertSame("drand's genesis", genesisAt, drandEvmnet.genesisAt)
  assertSame("drand's period", periodSeconds, drandEvmnet.periodSeconds)
}

function assertParameters(found: NetworkParameters, expected: NetworkParameters): void {
  for (const name of Object.keys(expected) as (keyof NetworkParameters)[]) assertSame(name, String(found[name]), String(expected[name]))
}

function assertSame(what: string, found: string | bigint, expected: string | bigint): void {
  if (found !== expected) throw deploymentMismatch({ what, found: String(found), expected: String(expected) })
}

function toWord(value: bigint): string {
  return value.toString(16).padStart(64, '0')
}
