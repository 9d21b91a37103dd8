const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Milliseconds of what a person typed: whole numbers with units, largest first (`7d`, `12h`, `1h30m`, `90s`, `500ms`).
 * Undefined for anything else, and for more than 100 years.
 * @example findDuration('1h30m') // 5400000
 */
export function findDuration(text: string): number | undefined {
  const match = /^(?:(\d{1,6})d)?(?:(\d{1,7})h)?(?:(\d{1,8})m)?(?:(\d{1,10})s)?(?:(\d{1,12})ms)?$/.exec(text.trim())
  const parts = match?.slice(1) ?? []
  const total = ['d', 'h', 'm', 's', 'ms'].reduce((sum, unit, index) => sum + Number(parts[index] ?? 0) * (unitMs[unit] as number), 0)
  return parts.every((part) => part === undefined) || total > 36_525 * 86_400_000 ? undefined : total
}

/**
 * `seconds` in its two largest units, for people.
 * @example formatDuration(601_260) // '6 d 23 h'
 */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const
  const first = units.findIndex(([, size]) => whole >= size)
  if (first === -1) return '0 s'
  const [name, size] = units[first] as (typeof units)[number]
  const next = units[first + 1]
  const rest = next === undefined ? 0 : Math.floor((whole % size) / next[1])
  return `${Math.floor(whole / size)} ${name}${next === undefined || rest === 0 ? '' : ` ${rest} ${next[0]}`}`
}
