import { type Chain, createPublicClient, defineChain, fallback, http, isHex, type PublicClient, shouldThrow, type Transport } from 'viem'
import { chainMismatch, rpcUnavailable, rpcUrlInvalid, rpcUrlMissing } from '../errors/chain.ts'
import { CuckooError } from '../errors/cuckooError.ts'

export interface RpcOptions {
  /** the name errors use */
  network: string
  chainId: number
  /** tried in this order, the next when one fails */
  rpcUrls: readonly string[]
  /** for one request; default 10,000 */
  timeoutMs?: number | undefined
  /** aborts what is under way */
  signal?: AbortSignal | undefined
}

export type RpcClient = PublicClient<Transport, Chain>

const retries = 2
const maxRetryAfterSeconds = 5

/**
 * A viem client over all `rpcUrls`. Each URL's chain id is checked before its first use, so that a fallback on another chain is
 * never read. viem sees origins only: no user, password or path with a key reaches an error.
 * @throws CUCKOO_CHAIN_RPC_MISSING without any URL
 * @throws CUCKOO_CHAIN_RPC_URL_INVALID for anything but http and https URLs
 */
export function createRpcClient(options: RpcOptions): RpcClient {
  if (options.rpcUrls.length === 0) throw rpcUrlMissing({ network: options.network })
  const transports = options.rpcUrls.map((url) => createTransport(url, options))
  const chain = defineChain({
    id: options.chainId,
    name: options.network,
    nativeCurrency: { name: 'CAI', symbol: 'CAI', decimals: 18 },
    rpcUrls: { default: { http: [] } },
    // Room for the base fee to double before the transaction is mined; what is not needed is not paid.
    fees: { baseFeeMultiplier: 2 },
  })
  const transport = fallback(transports, { retryCount: retries, shouldThrow: (error) => isOurs(error) || shouldThrow(error) })
  return createPublicClient({ chain, transport, cacheTime: 0 })
}

/** The chain id that the RPC at `rpcUrl` says, for a network that is only being made. */
export async function getChainId(rpcUrl: string): Promise<number> {
  return createPublicClient({ transport: createTransport(rpcUrl, null) }).getChainId()
}

/** `options` null: whatever chain it is on. */
function createTransport(url: string, options: RpcOptions | null): Transport {
  const { href, origin, authorization } = parseRpcUrl(url)
  const requestRpc = async (_input: unknown, init: RequestInit | undefined): Promise<Response> => {
    const headers = { ...(init?.headers as Record<string, string>), ...(authorization && { authorization }) }
    const signals = [init?.signal, options?.signal].filter((signal) => signal instanceof AbortSignal)
    return capRetryAfter(await fetch(href, { ...init, headers, signal: AbortSignal.any(signals) }))
  }
  const inner = http(origin, { fetchFn: requestRpc, timeout: options?.timeoutMs ?? 10_000 })
  if (options === null) return inner
  let checking: Promise<void> | null = null
  return (parameters) => {
    const transport = inner(parameters)
    const assertChainId = async (): Promise<void> => {
      const answer: unknown = await transport.request({ method: 'eth_chainId' })
      if (!isHex(answer)) throw rpcUnavailable({ url: origin, reason: 'it does not speak JSON-RPC' })
      const found = Number(answer)
      if (found !== options.chainId) throw chainMismatch({ url: origin, found, expected: options.chainId, network: options.network })
    }
    const request: typeof transport.request = async (call, overrides) => {
      checking ??= assertChainId()
      await checking.catch((error) => {
        checking = null
        throw error
      })
      return transport.request(call, overrides)
    }
    return { ...transport, request }
  }
}

function parseRpcUrl(url: string): { href: string; origin: string; authorization: string | null } {
  if (!URL.canParse(url)) throw rpcUrlInvalid({ problem: 'it is not a URL' })
  const parsed = new URL(url)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') throw rpcUrlInvalid({ problem: `'${parsed.protocol}' is neither http nor https` })
  const credentials = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`
  parsed.username = ''
  parsed.password = ''
  return { href: parsed.href, origin: parsed.origin, authorization: credentials === ':' ? null : `Basic ${Buffer.from(credentials).toString('base64')}` }
}

/** viem waits as long as Retry-After says, be it an hour: longer than 5 s counts as not said. */
function capRetryAfter(response: Response): Response {
  const retryAfter = response.headers.get('retry-after')
  if (retryAfter === null || Number(retryAfter) <= maxRetryAfterSeconds) return response
  const headers = new Headers(response.headers)
  headers.delete('retry-after')
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}

function isOurs(error: Error): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (cause instanceof CuckooError) return true
  return false
}
