import type { z } from 'zod'
import { requestSchemas, type TaskRequest } from '../api/requestSchemas.ts'
import type { Hash } from '../domain/hex.ts'
import { type TaskKind, taskKindTraits } from '../domain/taskKinds.ts'
import { runInputMissing, runParamInvalid } from '../errors/run.ts'
import type { RunOptions } from './runOptions.ts'

/** What a task of this kind is made from, before its model and its media are known. */
export interface TaskDraft {
  kind: TaskKind
  prompt: string | undefined
  options: RunOptions
}

const exampleOf = (kind: TaskKind) => {
  if (kind === 'image') return 'cuckoo run --image <file> "…"'
  const { takes, gives } = taskKindTraits[kind]
  const parts = [
    takes.media === null ? '' : ` --file <${takes.media}>`,
    takes.labels ? ' --label good --label bad' : '',
    takes.text ? ' "…"' : '',
    gives === null ? '' : ' --out <file>',
  ]
  return `cuckoo run --kind ${kind}${parts.join('')}`
}

/**
 * @throws CUCKOO_RUN_INPUT_MISSING when the kind needs a text, a file, labels or a file for what comes back
 * @throws CUCKOO_RUN_PARAM_INVALID for a `--param` that the kind does not have
 */
export function assertDraft({ kind, prompt, options }: TaskDraft): void {
  const { takes, gives } = taskKindTraits[kind]
  const missing = [
    takes.text && prompt === undefined ? 'a text' : null,
    takes.media !== null && options.file === undefined ? `--file with ${takes.media === 'audio' ? 'a sound' : 'an image'}` : null,
    takes.labels && options.label.length === 0 ? 'at least one --label' : null,
    gives !== null && toOutPath(options) === undefined ? `--out with a file for the ${gives === 'audio' ? 'sound' : 'image'}` : null,
  ].find((part) => part !== null)
  const example = exampleOf(kind)
  if (missing !== undefined) throw runInputMissing({ kind, missing, example })
  if (!takes.text && prompt !== undefined) throw runInputMissing({ kind, missing: 'a file and no text', example })
  parseParams(kind, options.param)
}

/** Where the image or sound goes that comes back. */
export function toOutPath(options: Pick<RunOptions, 'image' | 'out'>): string | undefined {
  return options.image ?? options.out
}

/** The request of `draft` for `model`; `media`: SHA-256 of the uploaded file, null where the kind takes none. */
export function toTaskRequest(draft: TaskDraft, model: string, media: Hash | null): TaskRequest {
  const { kind, options } = draft
  const request = { kind, model, input: toInput(draft, media), params: { ...toParams(kind, options), ...parseParams(kind, options.param) } }
  return { ...request, ...(options.seed === undefined ? {} : { seed: options.seed }) } as TaskRequest
}

function toInput({ kind, prompt, options }: TaskDraft, media: Hash | null): object {
  const { takes } = taskKindTraits[kind]
  if (kind === 'image') return { prompt, ...(options.negative === undefined ? {} : { negativePrompt: options.negative }) }
  if (kind === 'embedding') return { texts: [prompt] }
  return { ...(takes.text && { text: prompt }), ...(takes.labels && { labels: options.label }), ...(media !== null && { media: { sha256: media } }) }
}

function toParams(kind: TaskKind, { size, steps, guidance, scheduler, count, maxTokens }: RunOptions): object {
  const given = kind === 'image' ? { ...size, steps, guidance, scheduler, count } : { maxTokens }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function parseParams(kind: TaskKind, params: readonly string[]): object {
  const shape = requestSchemas[kind].params.shape as Record<string, z.ZodType>
  const known = Object.keys(shape).join(', ')
  return Object.fromEntries(
    params.map((param) => {
      const [, name = '', text = ''] = /^([A-Za-z]+)=(.*)$/s.exec(param) ?? []
      const schema = Object.hasOwn(shape, name) ? shape[name] : undefined
      if (schema === undefined) throw runParamInvalid({ param, kind, problem: `is not a parameter of '${kind}'`, known })
      // A number or a switch where the schema has one, else text: `voice=1` may be either.
      const value = [readJson(text), text].find((candidate) => schema.safeParse(candidate).success)
      if (value === undefined) throw runParamInvalid({ param, kind, problem: `does not fit: ${schema.safeParse(text).error?.issues[0]?.message}`, known })
      return [name, value]
    }),
  )
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
