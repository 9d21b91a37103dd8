import { z } from 'zod'
import type { Beacon } from '../domain/beaconPort.ts'
import type { Hex } from '../domain/hex.ts'
import { beaconInvalid, beaconRoundNotReached, beaconUnavailable } from '../errors/beacon.ts'
import { type CuckooError, isError } from '../errors/cuckooError.ts'
import { stripUrl } from './deployment.ts'
import { drandEvmnet } from './drandEvmnet.ts'
import { toReason } from './toReason.ts'

export interface DrandBeaconOptions {
  /** relays asked in this order, each only when those before it failed; no slash at the end */
  relayUrls?: readonly string[]
  /** for each relay */
  timeoutMs?: number
  nowMs?: () => number
}

const maximumBytes = 64 * 1024
/** Relays lag behind the round's time by less than this, and clocks are off by less. */
const lagMs = 60_000

// GET /{chain hash}/public/{round} (docs.drand.love, HTTP API, version 1): `randomness` is there too, and is the signature's SHA-256.
const answerSchema = z.looseObject({ round: z.int(), signature: z.string().regex(/^[0-9a-f]{128}$/, 'its signature is not 64 bytes in hex') })

/**
 * drand's `evmnet` over HTTP. A relay that lies is not found out here but by the contract, which verifies what it is given: a
 * relay can withhold a round, never choose its seed.
 *
 * @example
 * await createDrandBeacon().fetchProof(1n)
 * // '0x11f812d738a36b2210dc88c2d635ad8039588205f42445d6de09e6530165c3462a23aca348c84badcf8df5321ac24577b7963d5b0d780bc4626baedb45cde373'
 */
export function createDrandBeacon({ relayUrls = drandEvmnet.relayUrls, timeoutMs = 5_000, nowMs = Date.now }: DrandBeaconOptions = {}): Beacon {
  return {
    fetchProof: async (round, signal) => {
      const reachedAt = toRoundTime(round)
      const ageMs = nowMs() - Number(reachedAt) * 1_000
      if (ageMs < 0) throw beaconRoundNotReached({ round, reachedAt })
      const failures: CuckooError[] = []
      for (const url of relayUrls) {
        try {
          return await fetchFrom(url, round, ageMs < lagMs, AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]))
        } catch (error) {
          signal?.throwIfAborted()
          failures.push(error as CuckooError)
        }
      }
      throw toFailure(round, failures)
    },
  }
}

/** Unix seconds from which `round` is published. @example toRoundTime(2n) // 1727521078n */
export function toRoundTime(round: bigint): bigint {
  return drandEvmnet.genesisAt + (round - 1n) * drandEvmnet.periodSeconds
}

/** `isYoung`: a relay may not have the round yet. */
async function fetchFrom(url: string, round: bigint, isYoung: boolean, signal: AbortSignal): Promise<Hex> {
  const relay = stripUrl(url)
  const toUnavailable = (reason: string, cause?: unknown) => beaconUnavailable({ round, relays: [relay], reasons: [reason] }, { cause })
  const toInvalid = (problem: string, cause?: unknown) => beaconInvalid({ round, relay, problem }, { cause })
  let text: string
  try {
    const response = await fetch(`${url}/${drandEvmnet.chainHash}/public/${round}`, { signal, redirect: 'manual' })
    if (response.status !== 200) {
      await response.body?.cancel()
      // Newer relays say 425 Too Early, older ones 404.
      if (isYoung && (response.status === 425 || response.status === 404)) throw beaconRoundNotReached({ round, reachedAt: toRoundTime(round) })
      throw toUnavailable(`HTTP ${response.status}`)
    }
    const found = await readText(response)
    if (found === undefined) throw toInvalid(`it has more than ${maximumBytes} bytes`)
    text = found
  } catch (error) {
    if (toReason(error).startsWith('CUCKOO_')) throw error
    throw toUnavailable(describeNetworkError(error), error)
  }
  const { signature, ...answer } = parseAnswer(text, toInvalid)
  if (BigInt(answer.round) !== round) throw toInvalid(`it is of round ${answer.round}`)
  return `0x${signature}`
}

function parseAnswer(text: string, toInvalid: (problem: string, cause: unknown) => CuckooError): z.infer<typeof answerSchema> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw toInvalid('it is not JSON', cause)
  }
  const parsed = answerSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw toInvalid(parsed.error.issues[0]?.message ?? 'it has another shape', parsed.error)
}

/** The body's text, or undefined when it is too long. */
async function readText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    // Leaving the loop closes the connection.
    if (bytes > maximumBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** What to report when no relay gave the round: what says most. */
function toFailure(round: bigint, failures: readonly CuckooError[]): CuckooError {
  const cause = new AggregateError(failures)
  const early = failures.find((error) => isError(error, beaconRoundNotReached))
  if (early !== undefined) return beaconRoundNotReached({ round, reachedAt: toRoundTime(round) }, { cause })
  const invalid = failures.find((error) => isError(error, beaconInvalid))
  if (invalid !== undefined) return invalid
  const facts = failures.map(({ facts }) => facts as { relays: string[]; reasons: string[] })
  return beaconUnavailable({ round, relays: facts.flatMap(({ relays }) => relays), reasons: facts.flatMap(({ reasons }) => reasons) }, { cause })
}

function describeNetworkError(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'no answer in time'
  return toReason(error instanceof Error && error.cause !== undefined ? error.cause : error)
}
