import { keccak256 } from '../domain/eip712.ts'
import { type Address, addressPattern } from '../domain/hex.ts'
import { accountUnknown, accountUnusable } from '../errors/account.ts'
import { addressInvalid } from '../errors/cli.ts'
import type { Context } from './context.ts'

/**
 * An address as a person typed it: 0x and 40 hexadecimal digits of any case; mixed case must carry the right checksum (EIP-55).
 * @throws CUCKOO_ADDRESS_INVALID
 * @example parseAddress('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed') // '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'
 */
export function parseAddress(text: string): Address {
  const value = text.trim()
  const lower = value.toLowerCase() as Address
  if (!value.startsWith('0x')) throw addressInvalid({ value: text, problem: 'it does not start with 0x' })
  if (value.length !== 42) throw addressInvalid({ value: text, problem: `it has ${value.length - 2} digits after 0x, not 40` })
  if (!addressPattern.test(lower)) throw addressInvalid({ value: text, problem: 'it has characters other than 0-9 and a-f' })
  const digits = value.slice(2)
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase()
  if (isMixed && value !== formatAddress(lower)) throw addressInvalid({ value: text, problem: 'its checksum is wrong, so a digit is too' })
  return lower
}

/** `address` with its checksum in the case of its letters (EIP-55). */
export function formatAddress(address: Address): string {
  const digits = address.slice(2)
  const hash = Buffer.from(keccak256(Buffer.from(digits))).toString('hex')
  return `0x${[...digits].map((digit, index) => (Number.parseInt(hash[index] as string, 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`
}

/**
 * The address that a person named: an address, or the name of an account of this home.
 * @throws CUCKOO_ADDRESS_INVALID, CUCKOO_ACCOUNT_UNKNOWN, CUCKOO_ACCOUNT_UNUSABLE when its file names no address
 */
export async function getParty(context: Pick<Context, 'ports'>, text: string): Promise<Address> {
  if (/^0x/i.test(text) || /^[0-9a-f]{40}$/i.test(text)) return parseAddress(text)
  const accounts = await context.ports.accounts.list()
  const found = accounts.find(({ name }) => name === text)
  if (found === undefined) throw accountUnknown({ name: text, known: accounts.map(({ name }) => name) })
  if (found.address === null) throw accountUnusable({ name: text, problem: found.problem ?? 'it names no address' })
  return found.address
}

/**
 * {@link getParty} of `text`, or the address of the account in use when nothing was named. A network that cannot be had is told
 * first: who asks needs it in any case.
 */
export async function getPartyOrOwn(context: Pick<Context, 'ports'>, text: string | undefined): Promise<Address> {
  await context.ports.getDeployment()
  return text === undefined ? (await context.ports.getOwn()).address : getParty(context, text)
}

/**
 * The node that a person named; else the node that the account in use owns, else the one that it is or was the operator of, else
 * its own address.
 */
export async function getNodeOrOwn(context: Pick<Context, 'ports'>, text: string | undefined): Promise<Address> {
  const address = await getPartyOrOwn(context, text)
  if (text !== undefined) return address
  const chain = await context.ports.getChain()
  const [own, operated] = await Promise.all([chain.getNode(address), chain.findOperator(address)])
  return own.role === 'none' && operated !== null ? operated.node : address
}
