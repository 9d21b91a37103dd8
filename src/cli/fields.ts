import { z } from 'zod'
import type { FieldMeta } from './defineCommand.ts'

/** One argument or option as its schema describes it: what commander, help and completion are built from. */
export interface Field extends FieldMeta {
  key: string
  /** `--voter-share`, or `voter-share` for an argument */
  name: string
  type: 'switch' | 'list' | 'value'
  required: boolean
  /** `<amount|all>`; empty for switches */
  term: string
  choices: readonly string[]
  default: unknown
}

interface JsonField extends FieldMeta {
  type?: string
  enum?: unknown[]
  default?: unknown
  items?: JsonField
}

/** Fields of an object schema in their order, read from its JSON schema (input side). */
export function toFields(schema: z.ZodObject, kind: 'argument' | 'option'): Field[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as { properties?: Record<string, JsonField>; required?: string[] }
  return Object.entries(json.properties ?? {}).map(([key, field]) => {
    const name = field.flag ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const type = field.type === 'boolean' ? 'switch' : field.type === 'array' ? 'list' : 'value'
    const choices = ((type === 'list' ? field.items?.enum : field.enum) ?? []).map(String)
    const placeholder = field.placeholder ?? (choices.length > 0 && choices.length <= 4 ? choices.join('|') : name)
    return {
      ...field,
      key,
      name: kind === 'option' ? `--${name}` : name,
      type,
      required: json.required?.includes(key) === true,
      term: type === 'switch' ? '' : placeholder,
      choices,
      default: field.default,
    } as Field
  })
}
