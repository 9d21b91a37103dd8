import type { z } from 'zod'
import { toPlainText } from '../domain/plainText.ts'
import * as apiErrors from '../errors/api.ts'
import { CuckooError, type ErrorKind, type Facts } from '../errors/cuckooError.ts'
import { zError } from './wire.ts'

export type ErrorBody = z.output<typeof zError>

/** `error.type` as OpenAI's clients know it (platform.openai.com/docs/guides/error-codes). */
function toErrorType(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 429) return 'rate_limit_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}

/** Faults of this side: the caller learns the code and the request's id, the log the rest. */
function isOwnFault(error: CuckooError): boolean {
  return error.kind === 'internal' || error.kind === 'config'
}

/** `error` in OpenAI's shape, with our stable code and the next step. What went wrong inside stays inside. */
export function toErrorBody(error: CuckooError, requestId: string): ErrorBody {
  const param = error.facts.param ?? error.facts.parameter
  const text = isOwnFault(error)
    ? { message: 'Something went wrong inside the coordinator.', hint: `Tell its operator the request id ${requestId}.` }
    : { message: error.message, hint: error.hint }
  return {
    error: {
      message: text.message,
      type: toErrorType(error.httpStatus),
      param: typeof param === 'string' ? param : null,
      code: error.code,
      ...(text.hint === undefined ? {} : { hint: text.hint }),
    },
  }
}

/** Whole seconds for `Retry-After`, or null where trying again without a change is no use. */
export function toRetryAfter(error: CuckooError): number | null {
  if (error.httpStatus !== 429 && error.httpStatus !== 503) return null
  const { retryAfterSeconds } = error.facts
  return typeof retryAfterSeconds === 'number' ? Math.max(1, Math.ceil(retryAfterSeconds)) : 2
}

const knownKinds = new Map<string, { kind: ErrorKind; httpStatus: number }>(Object.values(apiErrors).map((factory) => [factory.code, factory]))

function toKind(code: string, status: number): ErrorKind {
  const known = knownKinds.get(code)
  if (known !== undefined) return known.kind
  if (status === 401 || status === 403) return 'denied'
  if (status === 409 || status === 422) return 'rejected'
  // Its own faults and those of proxies before it pass; to us the coordinator is not there now.
  if (status === 429 || status === 408 || status >= 500) return 'unavailable'
  return 'usage'
}

/**
 * The error that a coordinator answered, with its own code and hint, or null when `value` is not in the error shape. The kind is that of the code, or
 * for codes unknown here follows from `status` (null: an event of a stream). `facts` holds `status`, `param`, `requestId` and `retryAfterSeconds` where
 * they came along.
 */
export function fromErrorBody(status: number | null, value: unknown, headers: Readonly<Record<string, string>>): CuckooError | null {
  const parsed = zError.safeParse(value)
  if (!parsed.success || !/^[A-Za-z0-9_.-]{1,100}$/.test(parsed.data.error.code)) return null
  const { code, message, hint, param } = parsed.data.error
  const httpStatus = status ?? knownKinds.get(code)?.httpStatus ?? 500
  const retryAfter = Number(headers['retry-after'])
  const facts: Facts = {
    status: httpStatus,
    param: param === null ? null : toPlainText(param),
    ...(headers['x-request-id'] === undefined ? {} : { requestId: toPlainText(headers['x-request-id']) }),
    ...(retryAfter > 0 ? { retryAfterSeconds: Math.min(retryAfter, 3600) } : {}),
  }
  const text = { message: toPlainText(message), ...(hint === undefined ? {} : { hint: toPlainText(hint) }) }
  return new CuckooError({ code, kind: toKind(code, httpStatus), httpStatus }, text, facts)
}
