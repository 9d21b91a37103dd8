import type { Address } from '../domain/hex.ts'

/** viem's address, which has a checksum in its case, as ours. */
export function toAddress(address: string): Address {
  return address.toLowerCase() as Address
}
