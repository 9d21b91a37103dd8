import { amountInvalid, amountOutOfRange, amountTooPrecise } from '../errors/amount.ts'

/** Wei in one CAI. CAI is the chain's native token with 18 decimals. */
export const weiPerCai = 10n ** 18n

/** The largest amount in wei that the contract's packed slots hold: uint96. */
export const maxAmountWei = 2n ** 96n - 1n

/**
 * Amount in wei of what a person typed: decimal CAI (`25000`, `0.5`) or whole wei (`12wei`).
 * @throws CUCKOO_AMOUNT_INVALID for anything else (`20K`, `25,000`, `-1`, `1e3`), with the right spelling in the hint where it can be guessed
 * @throws CUCKOO_AMOUNT_TOO_PRECISE for more than 18 decimals
 * @throws CUCKOO_AMOUNT_OUT_OF_RANGE over 2^96 - 1 wei
 * @example parseAmount('0.5') // 500000000000000000n
 */
export function parseAmount(text: string): bigint {
  const value = text.trim()
  const wei = /^(\d+)wei$/.exec(value)
  const cai = /^(\d+)(?:\.(\d+))?$/.exec(value)
  if (wei === null && cai === null) throw amountInvalid({ value: text, suggestion: suggestAmount(value) })
  const decimals = cai?.[2] ?? ''
  if (decimals.length > 18) throw amountTooPrecise({ value: text, decimals: decimals.length })
  const amount = wei ? BigInt(wei[1] as string) : BigInt(cai?.[1] as string) * weiPerCai + BigInt(decimals.padEnd(18, '0'))
  if (amount > maxAmountWei) throw amountOutOfRange({ value: text, maximumWei: maxAmountWei })
  return amount
}

const multipliers: Record<string, bigint> = { k: 1_000n, m: 1_000_000n, b: 1_000_000_000n }

function suggestAmount(value: string): string | null {
  const short = /^(\d+)(?:\.(\d{1,9}))?\s*([kmb])$/i.exec(value)
  if (short) {
    const fraction = short[2] ?? ''
    const scaled = BigInt(short[1] + fraction) * (multipliers[(short[3] as string).toLowerCase()] as bigint)
    return scaled % 10n ** BigInt(fraction.length) === 0n ? String(scaled / 10n ** BigInt(fraction.length)) : null
  }
  if (/^\d{1,3}([,_' ]\d{3})+(\.\d+)?$/.test(value)) return value.replace(/[,_' ]/g, '')
  const unit = /^(\d+(?:\.\d+)?)\s*cai$/i.exec(value)
  return unit ? (unit[1] as string) : null
}

/**
 * `wei` as decimal CAI with as many decimals as it needs, the exact inverse of {@link parseAmount}.
 * @example formatAmount(20000500000000000000000n) // '20000.5'
 */
export function formatAmount(wei: bigint): string {
  const sign = wei < 0n ? '-' : ''
  const value = wei < 0n ? -wei : wei
  const decimals = (value % weiPerCai).toString().padStart(18, '0').replace(/0+$/, '')
  return `${sign}${value / weiPerCai}${decimals === '' ? '' : `.${decimals}`}`
}
