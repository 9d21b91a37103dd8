import { readFileSync } from 'node:fs'
import { encodeDeployData, encodeFunctionData, hashTypedData, toFunctionSelector } from 'viem'
import { stakingAbi, stakingBytecode } from '../../src/chain/contracts.generated.ts'
import { createLocalSigner } from '../../src/chain/signer.ts'
import type { Address, Hex } from '../../src/domain/hex.ts'
import type { Anvil } from './anvil.ts'
import { accountCount, type Command, type Sender } from './rewardsCommands.ts'
import type { Reading, Word } from './rewardsReadings.ts'
import type { ModelParameters } from './rewardsState.ts'

/** One transaction or one look at the contract, and when. */
export type Call = { time: number; command: Command } | { time: number; readings: readonly Reading[] }

export type Answer = { succeeded: boolean; data: Hex }

interface SimulatedCall {
  status: Hex
  returnData: Hex
  error?: { message: string; data?: Hex }
}

const reader = toNumbered(0xea)
const senders = { payments: toNumbered(0xb1), court: toNumbered(0xb2), epochs: toNumbered(0xb3) }
const deadline = 2n ** 40n
const types = {
  Registration: [
    { name: 'owner', type: 'address' },
    { name: 'operator', type: 'address' },
    { name: 'role', type: 'uint8' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const
const profile = { name: 'node', url: '', description: '' }
const balance = toQuantity(2n ** 100n)

/**
 * Calls the address in its first word with each of the packets behind it (2 bytes of length, then the call's data). Returns for each a word, 2 x
 * returned bytes + success, and the returned bytes; last, that address's balance.
 */
const readerCode = [
  '60205f', // at = 32, out = 0
  '5b36821015603b57', // while at < calldatasize
  '813560f01c', // length = calldata[at] >> 240
  '80836002018337', // memory[out] = calldata[at + 2 ...]
  '5f5f82845f355afa', // staticcall
  '3d8001018252', // memory[out] = 2 x returndatasize + success
  '3d5f836020013e', // memory[out + 32] = returned data
  '906020013d01910160020190600356', // out += 32 + returndatasize, at += 2 + length
  '5b5f353181526020015ff3', // memory[out] = balance; return
].join('')

/** Stands where the payments contract would be: its answer to `requiredBondWei` is 0. */
const paymentsCode = '5f5f5260205ff3'

/** A staking contract with these windows, created by a transaction; its address. */
export async function deployStaking(anvil: Anvil, parameters: ModelParameters): Promise<Address> {
  const [from] = await anvil.request<[Address]>('eth_accounts')
  const { contractAddress } = await anvil.sendAs(from, { data: toCreation(parameters), gas: toQuantity(15_000_000n) })
  if (contractAddress === null) throw new Error('the staking contract was not created')
  return contractAddress
}

/**
 * Runs the calls on the fresh contract `staking` and returns what each answered. All of them are one `eth_simulateV1`: anvil's own execution
 * with our block times and senders, which leaves the contract fresh for the next history.
 */
export async function runCalls(anvil: Anvil, staking: Address, calls: readonly Call[]): Promise<Answer[]> {
  const blocks: { blockOverrides: object; stateOverrides: object; calls: object[] }[] = []
  let time = 0
  for (const call of calls) {
    if (call.time !== time) blocks.push({ blockOverrides: toBlock(call.time), stateOverrides: time === 0 ? toOverrides() : {}, calls: [] })
    time = call.time
    blocks.at(-1)?.calls.push('command' in call ? toTransaction(staking, call.command) : toRead(staking, call.readings))
  }
  const answer = await anvil.request<{ calls: SimulatedCall[] }[]>('eth_simulateV1', [{ blockStateCalls: blocks }, 'latest'])
  return answer.flatMap((block) => block.calls.map(toAnswer))
}

/** The words of each reading in the reader's answer (none for a view that reverted), then the contract's balance. */
export function parseReadings(data: Hex, count: number): { words: bigint[][]; balanceWei: bigint } {
  let at = 2
  const take = (): bigint => {
    at += 64
    return BigInt(`0x${data.slice(at - 64, at)}`)
  }
  const words = Array.from({ length: count }, () => {
    const head = take()
    const length = Number(head / 2n)
    if (head % 2n === 1n) return Array.from({ length: length / 32 }, take)
    at += 2 * length
    return []
  })
  return { words, balanceWei: take() }
}

function toOverrides() {
  const funded = [...Object.values(senders), ...Array.from({ length: accountCount }, (_, account) => toAddress(account))]
  return {
    ...Object.fromEntries(funded.map((address) => [address, { balance }])),
    [senders.payments]: { balance, code: `0x${paymentsCode}` },
    [reader]: { code: `0x${readerCode}` },
  }
}

function toBlock(time: number) {
  return { time: toQuantity(BigInt(time)), baseFeePerGas: '0x0', gasLimit: toQuantity(2n ** 40n) }
}

function toAnswer({ status, returnData, error }: SimulatedCall): Answer {
  return { succeeded: status === '0x1', data: error?.data ?? returnData }
}

function toTransaction(staking: Address, command: Command) {
  const { from, valueWei } = command
  return { from: toAddress(from), to: staking, value: toQuantity(valueWei), input: toInput(staking, command), gas: toQuantity(10_000_000n), gasPrice: '0x0' }
}

function toRead(staking: Address, readings: readonly Reading[]) {
  const packets = readings.map(({ name, args }) => {
    const data = toSelector(name) + ('exits' in args ? toExitsData(args.account, args.exits) : args.map(toWord).join(''))
    return (data.length / 2).toString(16).padStart(4, '0') + data
  })
  const input = `0x${staking.slice(2).padStart(64, '0')}${packets.join('')}`
  return { from: toAddress(0), to: reader, input, gas: toQuantity(2n ** 32n), gasPrice: '0x0' }
}

function toExitsData(account: Sender, exits: Extract<Reading['args'], { exits: unknown }>['exits']): string {
  return [{ account }, 64n, BigInt(exits.length), ...exits.map(toThawId)].map(toWord).join('')
}

function toInput(staking: Address, { from, name, args }: Command): Hex {
  if (name === 'register') return toRegistration(staking, from, ...(args as [number, bigint, bigint, bigint]))
  const values = args.map((value) => {
    if (Array.isArray(value)) return value.map(toThawId)
    return typeof value === 'object' && value !== null ? toAddress((value as { node: number }).node) : value
  })
  // `withdraw` pays to whoever it was that asked.
  if (name === 'withdraw') values[2] = toAddress(from)
  return encodeFunctionData({ abi: stakingAbi, functionName: name as 'withdraw', args: values as never })
}

const registrations = new Map<string, Hex>()

function toRegistration(verifyingContract: Address, from: Sender, role: number, shareBps: bigint, wei: bigint, nonce: bigint): Hex {
  const operator = createLocalSigner(`0x${toAddress(from).slice(2).padStart(64, '1')}`)
  const id = [verifyingContract, from, role, nonce].join()
  const domain = { name: 'Cuckoo', version: '1', chainId: 31_337, verifyingContract }
  const message = { owner: toAddress(from), operator: operator.address, role, nonce, deadline }
  const signature = registrations.get(id) ?? operator.sign(hashTypedData({ domain, types, primaryType: 'Registration', message }))
  registrations.set(id, signature)
  const args = [role, operator.address, Number(shareBps), wei, profile, deadline, signature] as const
  return encodeFunctionData({ abi: stakingAbi, functionName: 'register', args })
}

function toCreation(parameters: ModelParameters): Hex {
  const entries = Object.entries(parameters).map(([name, seconds]) => [name, BigInt(seconds)])
  const args = [{ ...Object.fromEntries(entries), ...senders }] as never
  return encodeDeployData({ abi: stakingAbi, bytecode: getBytecode(), args })
}

/** The committed contract's creation code, or that of the forge artefact that CUCKOO_TEST_STAKING names (a contract broken on purpose). */
function getBytecode(): Hex {
  const path = process.env.CUCKOO_TEST_STAKING
  return path ? (JSON.parse(readFileSync(path, 'utf8')) as { bytecode: { object: Hex } }).bytecode.object : stakingBytecode
}

const selectors = new Map<string, string>()

function toSelector(name: string): string {
  const known = selectors.get(name)
  if (known) return known
  const item = stakingAbi.find((entry) => entry.type === 'function' && entry.name === name)
  if (item?.type !== 'function') throw new Error(`the staking contract has no ${name}`)
  const selector = toFunctionSelector(item).slice(2)
  selectors.set(name, selector)
  return selector
}

function toThawId({ node, kind, releaseAt }: { node: number; kind: number; releaseAt: number }): bigint {
  return (BigInt(toAddress(node)) << 96n) | (BigInt(kind) << 64n) | BigInt(releaseAt)
}

function toWord(word: Word): string {
  return (typeof word === 'bigint' ? word : BigInt(toAddress(word.account))).toString(16).padStart(64, '0')
}

function toAddress(sender: Sender): Address {
  return typeof sender === 'number' ? toNumbered(0xa0 + sender) : senders[sender]
}

function toNumbered(number: number): Address {
  return `0x${number.toString(16).padStart(40, 'c')}`
}

function toQuantity(value: bigint): Hex {
  return `0x${value.toString(16)}`
}
