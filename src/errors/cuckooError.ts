/** Whose fault it is. The kind alone decides exit code, HTTP status, log level and whether to retry. */
export const errorKinds = {
  usage: { exitCode: 2, httpStatus: 400, retry: false },
  config: { exitCode: 78, httpStatus: 500, retry: false },
  denied: { exitCode: 77, httpStatus: 401, retry: false },
  rejected: { exitCode: 10, httpStatus: 409, retry: false },
  invalid: { exitCode: 65, httpStatus: 502, retry: false },
  unavailable: { exitCode: 75, httpStatus: 503, retry: true },
  internal: { exitCode: 70, httpStatus: 500, retry: false },
} as const

export type ErrorKind = keyof typeof errorKinds

/** A fact of an error: a number with its unit in the name, a name, an address. Never a secret. */
export type Facts = Record<string, string | number | boolean | bigint | readonly string[] | null | undefined>

export interface ErrorText {
  /** One sentence that names the value. */
  message: string
  /** The next step: a command to type, or what to change. */
  hint?: string
}

/** Where an error differs from what its kind says. */
export interface ErrorTraits {
  /** where HTTP has a sharper status than the kind's: 404, 413, 415, 422, 429 */
  httpStatus?: number
  /** see {@link CuckooError.endsProcess}; false unless told */
  endsProcess?: boolean
}

/** Any error of ours: a stable `code`, a `kind` that decides what follows, facts, one sentence and the next step. */
export class CuckooError extends Error {
  override readonly name = 'CuckooError'
  readonly code: string
  readonly kind: ErrorKind
  readonly httpStatus: number
  /** a thread is inside a runtime that nothing gets it out of: a program that reports this error ends without waiting for it */
  readonly endsProcess: boolean
  readonly facts: Facts
  readonly hint: string | undefined

  constructor(definition: { code: string; kind: ErrorKind } & ErrorTraits, text: ErrorText, facts: Facts, cause?: unknown) {
    super(text.message, cause === undefined ? undefined : { cause })
    this.code = definition.code
    this.kind = definition.kind
    this.httpStatus = definition.httpStatus ?? errorKinds[definition.kind].httpStatus
    this.endsProcess = definition.endsProcess ?? false
    this.facts = facts
    this.hint = text.hint
  }
}

/** Makes an error from its facts; pass the caught error as `options.cause`. Carries its own `code`, so that callers can compare. */
export interface ErrorFactory<F extends Facts> {
  (facts: F, options?: { cause?: unknown }): CuckooError
  readonly code: string
  readonly kind: ErrorKind
  readonly httpStatus: number
}

/**
 * Defines an error once: its code (`CUCKOO_<AREA>_<REASON>`, never renamed), kind, and text made from its facts.
 *
 * @example
 * const amountInvalid = defineError('CUCKOO_AMOUNT_INVALID', 'usage', (f: { value: string }) => ({
 *   message: `'${f.value}' is not an amount of CAI.`, hint: 'Write it like 25000, 0.5 or 12wei.' }))
 * throw amountInvalid({ value: '20K' })
 */
export function defineError<F extends Facts>(
  code: `CUCKOO_${string}`,
  kind: ErrorKind,
  describe: (facts: F) => ErrorText,
  traits: ErrorTraits = {},
): ErrorFactory<F> {
  const definition = { code, kind, httpStatus: errorKinds[kind].httpStatus, ...traits }
  const create = (facts: F, options?: { cause?: unknown }) => new CuckooError(definition, describe(facts), facts, options?.cause)
  return Object.assign(create, definition)
}

/** True when `error` was made by `factory`. Compares codes, never messages. */
export function isError(error: unknown, factory: { code: string }): error is CuckooError {
  return error instanceof CuckooError && error.code === factory.code
}
