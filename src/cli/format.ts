import { formatDuration } from '../config/duration.ts'
import { formatAmount } from '../domain/amount.ts'

/** `wei` with its unit: exact. @example formatCai(500000000000000000n) // '0.5 CAI' */
export function formatCai(wei: bigint): string {
  return `${formatAmount(wei)} CAI`
}

/**
 * `wei` for a screen: at most 6 decimals, small amounts with 3 significant digits; '~' says that digits were left out.
 * @example formatCaiShort(1234567890123n) // '~0.00000123 CAI'
 */
export function formatCaiShort(wei: bigint): string {
  const exact = formatAmount(wei)
  const [whole, decimals = ''] = exact.split('.') as [string, string?]
  const leadingZeros = whole === '0' ? (/^0*/.exec(decimals)?.[0].length ?? 0) : 0
  const kept = Math.max(6, leadingZeros + 3)
  if (decimals.length <= kept) return `${exact} CAI`
  return `~${whole}.${decimals.slice(0, kept)} CAI`
}

/**
 * `wei` for a narrow column, without unit: at most `decimals`, rounded down. Something too small to show is not shown as nothing.
 * @example formatCompact(1999999999999999999n, 2) // '1.99'
 */
export function formatCompact(wei: bigint, decimals: number): string {
  const [whole, fraction = ''] = formatAmount(wei).split('.') as [string, string?]
  const kept = fraction.slice(0, decimals).replace(/0+$/, '')
  if (whole === '0' && kept === '' && wei !== 0n) return `<0.${'1'.padStart(decimals, '0')}`
  return kept === '' ? whole : `${whole}.${kept}`
}

/**
 * `wei` rounded to a millionth of a CAI, for rates and estimates.
 * @example formatEstimate(14_399_999_999_999_999_913_600n) // '14400 CAI'
 */
export function formatEstimate(wei: bigint): string {
  const millionth = 10n ** 12n
  return formatCai(((wei + millionth / 2n) / millionth) * millionth)
}

/** Basis points as a percentage. @example formatBps(1250) // '12.5 %' */
export function formatBps(bps: number): string {
  return `${bps / 100} %`
}

/** `part` of `whole` as a percentage with one decimal. @example formatShare(1n, 3n) // '33.3 %' */
export function formatShare(part: bigint, whole: bigint): string {
  return `${whole === 0n ? '0.0' : (Number((part * 10_000n) / whole) / 100).toFixed(1)} %`
}

/** Local date and time of `unixSeconds`. @example formatTime(0) // '1970-01-01 00:00' (in UTC) */
export function formatTime(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** Local date with its distance from `nowSeconds`. @example formatWhen(now + 600_000, now) // '2026-08-01 14:03 (in 6 d 22 h)' */
export function formatWhen(unixSeconds: number, nowSeconds: number): string {
  const distance = unixSeconds - nowSeconds
  return `${formatTime(unixSeconds)} (${distance >= 0 ? `in ${formatDuration(distance)}` : `${formatDuration(-distance)} ago`})`
}

/** A hash or address cut in the middle. @example formatShort('0x' + 'ab'.repeat(32)) // '0xabab…abab' */
export function formatShort(hex: string): string {
  return hex.length <= 14 ? hex : `${hex.slice(0, 6)}…${hex.slice(-4)}`
}
