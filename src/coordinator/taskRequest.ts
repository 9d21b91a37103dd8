import type { RequestContext } from '../api/handler.ts'
import type { TaskRequest } from '../api/requestSchemas.ts'
import { hashCanonical } from '../domain/canonical.ts'
import type { Hash } from '../domain/hex.ts'
import { requestInvalid } from '../errors/api.ts'

/** Who asks, and the headers that belong to the request. */
export interface Asker {
  appId: string
  idempotencyKey: string | null
  /** made by the app: its part in the draw */
  nonce: string | null
  receivedAtMs: number
  /** it reads along: the miner is asked to send tokens as it makes them */
  wantsStream: boolean
}

const headerPattern = /^[\x21-\x7e]{1,200}$/

/**
 * The app with its `idempotency-key` and `x-cuckoo-nonce` headers.
 * @throws CUCKOO_API_REQUEST_INVALID when one of them is not 1 to 200 printable ASCII characters
 */
export function toAsker(context: RequestContext & { app: { id: string } }, wantsStream = false): Asker {
  const readHeader = (name: string): string | null => {
    const value = context.headers[name]
    if (value === undefined) return null
    if (typeof value !== 'string' || !headerPattern.test(value)) throw requestInvalid({ where: name, problem: 'must be 1 to 200 printable ASCII characters' })
    return value
  }
  const { app, receivedAtMs } = context
  return { appId: app.id, idempotencyKey: readHeader('idempotency-key'), nonce: readHeader('x-cuckoo-nonce'), receivedAtMs, wantsStream }
}

/** Hash of the request as the app thinks of it: the same idempotency key with another hash is refused. */
export function toRequestHash(request: TaskRequest): Hash {
  const { seed, ...rest } = request
  return hashCanonical({ ...rest, seed: seed?.toString() })
}
