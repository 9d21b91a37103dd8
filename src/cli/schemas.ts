import { z } from 'zod'
import { zAddress, zHash, zWei } from '../api/wire.ts'
import { zDuration } from '../config/parseValue.ts'
import { parseAmount } from '../domain/amount.ts'
import type { Hex } from '../domain/hex.ts'
import type { Role } from '../domain/node.ts'

export { zAddress, zDuration, zHash, zWei }

/** CAI as a person types it; wei come out. */
export const zAmount = z.string().transform(parseAmount)

/** CAI, or everything there is. */
export const zAmountOrAll = z.string().transform((text) => (text === 'all' ? ('all' as const) : parseAmount(text)))

/** A whole number from `minimum` to `maximum`, written as text. */
export function zInteger(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^-?\d{1,15}$/, 'is not a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must be from ${minimum} to ${maximum}`)
}

/** A decimal number from `minimum` to `maximum`, written as text. */
export function zDecimal(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^-?\d{1,9}(\.\d{1,9})?$/, 'is not a number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must be from ${minimum} to ${maximum}`)
}

/** A percentage like `10` or `12.5%`; basis points (1/10,000) come out. */
export const zPercent = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,2})?\s*%?$/, 'is not a percentage like 10 or 12.5')
  .transform((text) => Math.round(Number.parseFloat(text) * 100))
  .refine((bps) => bps <= 10_000, 'is more than 100 %')

/** An unsigned integer of at most 64 bits, written as text. */
export const zUint64Text = z
  .string()
  .regex(/^\d{1,20}$/, 'is not a whole number')
  .transform(BigInt)
  .refine((value) => value < 2n ** 64n, 'does not fit 64 bits')

export const zHttpUrlText = z.url({ protocol: /^https?$/, error: 'is not an http or https URL' })
export const zRole = z.enum(['miner', 'coordinator']) satisfies z.ZodType<Role>

/** A node or account as a person names it: looked up when the command runs (see party.ts). */
export const zParty = z.string().min(1, 'is empty')

/** A bigint that JSON shows as a decimal string. */
export const zBigint = z.codec(z.string().regex(/^\d{1,78}$/), z.bigint(), { decode: BigInt, encode: String })

/** Unix seconds. */
export const zSeconds = z.int().min(0)

export const zProfile = z.object({ name: z.string(), url: z.string(), description: z.string() })

/** A 0x hex string of any length. */
export const zHex = z.string().regex(/^0x[0-9a-f]*$/) as unknown as z.ZodType<Hex, string>

/** A node as commands print it. */
export const zNode = z.object({
  node: zAddress,
  role: z.enum(['miner', 'coordinator', 'none']),
  active: z.boolean(),
  away: z.boolean().describe('it rests, or was jailed, and has not rejoined'),
  suspended: z.boolean().describe('it owes the reveal of a draw secret'),
  jailedUntil: zSeconds.describe('0: never jailed'),
  operator: zAddress,
  voterShareBps: z.int(),
  registeredAt: zSeconds,
  bondWei: zWei,
  votesWei: zWei,
  voteShares: zBigint,
  thawingBondWei: zWei,
  thawingVotesWei: zWei,
  rewardsWei: zWei.describe('claimable by the owner'),
  weightWei: zWei,
  nonce: zBigint,
  profileHash: zHex,
  profile: zProfile.nullable(),
})
