/** Bytes as lower-case hexadecimal with 0x in front. */
export type Hex = `0x${string}`
/** 20 bytes, lower case (no checksum case): two addresses are equal when their strings are. */
export type Address = Hex
/** 32 bytes. */
export type Hash = Hex

export const zeroAddress: Address = `0x${'0'.repeat(40)}`
export const zeroHash: Hash = `0x${'0'.repeat(64)}`

export const addressPattern = /^0x[0-9a-f]{40}$/
export const hashPattern = /^0x[0-9a-f]{64}$/

/** `bytes` as 0x hex. @example toHex(new Uint8Array([1, 255])) // '0x01ff' */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/** The bytes of a 0x hex string of whole bytes. @example fromHex('0x01ff') // Uint8Array [1, 255] */
export function fromHex(hex: Hex): Uint8Array {
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'))
}
