const units: Record<string, number> = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 }

/**
 * Bytes of what a person typed: a number with a unit, in powers of 1,000 (`50GB`) or of 1,024 (`512MiB`). Undefined for anything
 * else, for less than a byte and for more than 2^53.
 * @example findBytes('1.5GB') // 1500000000
 */
export function findBytes(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,16}(?:\.\d{1,3})?) ?([a-z]{0,3})$/i.exec(text.trim()) ?? []
  const bytes = Math.round(Number(count) * (units[unit.toUpperCase()] ?? Number.NaN))
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined
}

/** `bytes` for people, three digits at most. @example formatBytes(1_234_567_890) // '1.23 GB' */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  const names = ['kB', 'MB', 'GB', 'TB']
  const index = names.findIndex((_, power) => bytes < 999.5 * 1_000 ** (power + 1))
  const value = bytes / 1_000 ** ((index === -1 ? 3 : index) + 1)
  return `${value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${names.at(index)}`
}
