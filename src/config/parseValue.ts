import { resolve } from 'node:path'
import { z } from 'zod'
import { valueInvalid } from '../errors/cli.ts'
import { configInvalid } from '../errors/config.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { findBytes } from './bytes.ts'
import { findDuration } from './duration.ts'
import type { KeyKind } from './keys.ts'

export type SourceKind = 'flag' | 'argument' | 'environment' | 'file' | 'default'

/** Where a value was written down. */
export interface Source {
  kind: SourceKind
  /** as a person would look for it: `--port`, `CUCKOO_PORT`, `'port' in ~/.cuckoo/config.json` */
  name: string
}

/** A value as it was written, before any schema has seen it. */
export interface RawValue {
  value: unknown
  source: Source
}

/** A duration as a person types it; milliseconds come out. */
export const zDuration = z.string().transform((text, context) => {
  const ms = findDuration(text)
  if (ms !== undefined) return ms
  context.issues.push({ code: 'custom', message: 'is not a duration like 90s, 15m, 12h or 7d', input: text })
  return z.NEVER
})

/** A size as a person types it; bytes come out. */
export const zBytes = z.string().transform((text, context) => {
  const bytes = findBytes(text)
  if (bytes !== undefined) return bytes
  context.issues.push({ code: 'custom', message: 'is not a size like 50GB or 512MiB', input: text })
  return z.NEVER
})

const zPath = z.string().min(1, 'is empty')
const zHttpUrl = z.url({ protocol: /^https?$/, error: 'is not an http or https URL' })

/** One schema per kind of key. Text goes in, since flags, environment and most files hold text. */
export const kindSchemas = {
  text: z.string().min(1, 'is empty'),
  path: zPath.transform((path) => resolve(path)),
  url: zHttpUrl,
  fileOrUrl: zPath,
  switch: z.union([z.boolean(), z.stringbool({ error: 'is neither true nor false' })], { error: 'is neither true nor false' }),
  presence: z.union([z.boolean(), z.string().transform((text) => text !== '')]),
  duration: zDuration,
  bytes: zBytes,
  descriptor: z
    .string()
    .regex(/^\d{1,4}$/, 'is not the number of a file descriptor')
    .transform(Number),
  logLevel: z.enum(['silent', 'error', 'warn', 'info', 'debug'], { error: 'is not one of silent, error, warn, info, debug' }),
} satisfies Record<KeyKind, z.ZodType>

/**
 * `raw` read by `schema`.
 * @throws CUCKOO_CLI_VALUE_INVALID, or the schema's own coded error, when a flag or an argument is wrong
 * @throws CUCKOO_CONFIG_INVALID with the source and the value (never a secret's) when the environment or a file is
 */
export function parseValue<S extends z.ZodType>(schema: S, raw: RawValue, about: { command: string; secret?: boolean }): z.output<S> {
  const typed = raw.source.kind === 'flag' || raw.source.kind === 'argument'
  const fail = (problem: string, cause: unknown) => {
    const value = about.secret === true ? '<hidden>' : toText(raw.value, cause)
    return typed
      ? valueInvalid({ name: raw.source.name, value, problem, command: about.command }, { cause })
      : configInvalid({ source: raw.source.name, value, problem }, { cause })
  }
  try {
    const parsed = schema.safeParse(raw.value)
    if (parsed.success) return parsed.data
    throw fail(toProblem(parsed.error), about.secret === true ? undefined : parsed.error)
  } catch (error) {
    if (!(error instanceof CuckooError) || typed || error.code === configInvalid.code) throw error
    throw fail(`is refused: ${error.message.replace(/\.$/, '')}`, error)
  }
}

/** What was written; of a list, the one that is wrong where the schema says which. */
function toText(value: unknown, cause: unknown): string {
  const index = cause instanceof z.ZodError ? cause.issues[0]?.path[0] : undefined
  const wrong: unknown = Array.isArray(value) && typeof index === 'number' ? value[index] : value
  return typeof wrong === 'string' ? wrong : JSON.stringify(wrong)
}

function toProblem(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue?.code === 'invalid_value') return `is not one of ${issue.values.join(', ')}`
  if (issue?.code === 'invalid_type') return `is not a ${issue.expected === 'string' ? 'text' : issue.expected}`
  return (issue?.message ?? 'is not valid').replace(/\.$/, '')
}
