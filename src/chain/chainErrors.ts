import { type Hex, HttpRequestError, isHex, RpcRequestError, TimeoutError } from 'viem'
import { callReverted, rpcRefused, rpcUnavailable } from '../errors/chain.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { ContractName } from './abis.ts'
import { decodeRevert } from './reverts/decodeRevert.ts'

// JSON-RPC codes with which nodes say "too much": EIP-1474's limit, Alchemy's and QuickNode's own.
const limitCodes = [-32005, 429, -32007]
/** geth's code of a reverted call, with the revert data beside it. */
const revertedCode = 3

/**
 * Our error for whatever viem threw in `action` of `contract` (null: of none): a revert decoded, an RPC that is down, slow or refuses; else CUCKOO_INTERNAL.
 * The class of a failure comes from types, codes and HTTP status, never from its text.
 */
export function toChainError(error: unknown, action: string, contract: ContractName | null = null): CuckooError {
  const causes = listCauses(error)
  const ours = causes.find((cause) => cause instanceof CuckooError)
  if (ours) return ours

  const refused = causes.find((cause) => cause instanceof RpcRequestError)
  const data = findRevertData(causes)
  if (data !== null) return withCause(decodeRevert(data, action, contract), error)
  if (refused?.code === revertedCode) return callReverted({ action, reason: refused.details }, { cause: error })
  if (refused && limitCodes.includes(refused.code)) return rpcUnavailable({ url: toOrigin(refused), reason: 'too many requests' }, { cause: error })
  if (refused) return rpcRefused({ url: toOrigin(refused), rpcCode: refused.code, reason: refused.details }, { cause: error })

  const timeout = causes.find((cause) => cause instanceof TimeoutError)
  if (timeout) return rpcUnavailable({ url: toOrigin(timeout), reason: 'no answer in time' }, { cause: error })
  const failed = causes.find((cause) => cause instanceof HttpRequestError)
  if (failed) return rpcUnavailable({ url: toOrigin(failed), reason: describeFailure(failed, causes) }, { cause: error })
  return toCuckooError(error)
}

function toOrigin({ url }: { url: string }): string {
  return new URL(url).origin
}

function describeFailure(failed: HttpRequestError, causes: readonly Error[]): string {
  if (failed.status !== undefined) return failed.status === 429 ? 'too many requests (HTTP 429)' : `HTTP ${failed.status}`
  if (causes.some((cause) => cause instanceof SyntaxError)) return 'it does not speak JSON-RPC'
  // Node's fetch hides the system's code (ECONNREFUSED, ENOTFOUND) in a cause.
  const system = causes.find((cause) => 'code' in cause && typeof cause.code === 'string') as (Error & { code: string }) | undefined
  return system?.code ?? 'the connection failed'
}

/** Revert data of a failed call: nodes put it in `data`, some as `{ data }` inside. */
function findRevertData(causes: readonly Error[]): Hex | null {
  for (const cause of causes) {
    if (!(cause instanceof RpcRequestError)) continue
    const data = typeof cause.data === 'object' && cause.data !== null && 'data' in cause.data ? cause.data.data : cause.data
    if (isHex(data) && (data !== '0x' || cause.code === revertedCode)) return data
  }
  return null
}

function withCause(error: CuckooError, cause: unknown): CuckooError {
  error.cause = cause
  return error
}

function listCauses(error: unknown): Error[] {
  const causes: Error[] = []
  for (let cause: unknown = error; cause instanceof Error && causes.length < 20; cause = cause.cause) causes.push(cause)
  return causes
}
