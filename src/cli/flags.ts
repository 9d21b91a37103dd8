import type { z } from 'zod'
import { formatAmount } from '../domain/amount.ts'
import { toFields } from './fields.ts'

/**
 * The flags that give `values` to a command with `options`; what is at its default is left out.
 * @example toFlags(z.object({ slots: zInteger(1, 64).prefault('1') }), { slots: 4 }) // ['--slots', '4']
 */
export function toFlags(options: z.ZodObject, values: Readonly<Record<string, unknown>>): string[] {
  return toFields(options, 'option').flatMap((field) => {
    const value = values[field.key]
    const untouched = options.shape[field.key]?.safeParse(undefined).data
    if (value === undefined || toKey(value) === toKey(untouched)) return []
    if (field.type === 'switch') return [value === true ? field.name : `--no-${field.name.slice(2)}`]
    const toText = (item: unknown) => formatValue(item, field.placeholder)
    return [value].flat().flatMap((item) => [field.name, toText(item)])
  })
}

function toKey(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? ''
}

function formatValue(value: unknown, placeholder: string | undefined): string {
  if (typeof value === 'bigint') return formatAmount(value)
  if (placeholder === 'duration') return Number(value) % 1_000 === 0 ? `${Number(value) / 1_000}s` : `${String(value)}ms`
  if (placeholder === 'size') return Number(value) % 1e6 === 0 ? `${Number(value) / 1e6}MB` : `${String(value)}B`
  return String(value)
}
