import { createHmac, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Hash } from '../domain/hex.ts'

/** What a request's MAC covers. */
export interface RequestFacts {
  method: string
  /** request target with its query, as sent: `/miner/v1/poll` */
  path: string
  /** unix seconds */
  time: number
  sequence: number
  body: Uint8Array
}

/** Seconds that two clocks may be apart, and for which a nonce is remembered. */
export const maxClockSkewSeconds = 60

/** Requests may overtake each other by so many sequence numbers. */
export const replayWindow = 1024

export const sessionHeaders = { id: 'x-cuckoo-session', time: 'x-cuckoo-time', sequence: 'x-cuckoo-sequence', mac: 'x-cuckoo-mac' } as const

/**
 * The MAC of a request as 64 hex digits: HMAC-SHA256 over method, path with query, time, sequence and the SHA-256 of the body, one per line.
 * @example signRequest(key, { method: 'POST', path: '/miner/v1/poll', time: 1700000000, sequence: 1, body }) // '9f0c…', pinned in session.test.ts
 */
export function signRequest(key: KeyObject, facts: RequestFacts): string {
  return createHmac('sha256', key).update(toSignedText(facts)).digest('hex')
}

/** True when `mac` is the request's. Takes the same time wherever the first difference is. */
export function verifyRequest(key: KeyObject, facts: RequestFacts, mac: string): boolean {
  const expected = createHmac('sha256', key).update(toSignedText(facts)).digest()
  const found = Buffer.from(mac, 'hex')
  return found.length === expected.length && timingSafeEqual(found, expected)
}

function toSignedText({ method, path, time, sequence, body }: RequestFacts): string {
  return `${method}\n${path}\n${time}\n${sequence}\n${hash('sha256', body, 'hex')}`
}

/** The four headers that put a request into its session. */
export function toSessionHeaders(id: Hash, key: KeyObject, facts: RequestFacts): Record<string, string> {
  return {
    [sessionHeaders.id]: id,
    [sessionHeaders.time]: String(facts.time),
    [sessionHeaders.sequence]: String(facts.sequence),
    [sessionHeaders.mac]: signRequest(key, facts),
  }
}

/** Sequence numbers seen, as a ring of bits under the highest one (RFC 4303, section 3.4.3, keeps its window the same way). */
export class ReplayWindow {
  #bits = new Uint32Array(replayWindow / 32)
  #highest = 0

  /** True the first time for each number in the window; false for one seen before or fallen out of it. */
  accept(sequence: number): boolean {
    if (sequence <= this.#highest - replayWindow) return false
    for (let number = Math.max(this.#highest + 1, sequence - replayWindow + 1); number <= sequence; number++) this.#set(number, false)
    if (sequence > this.#highest) this.#highest = sequence
    if (this.#has(sequence)) return false
    this.#set(sequence, true)
    return true
  }

  #has(sequence: number): boolean {
    const bit = sequence % replayWindow
    return ((this.#bits[bit >>> 5] as number) & (1 << (bit & 31))) !== 0
  }

  #set(sequence: number, value: boolean): void {
    const bit = sequence % replayWindow
    const word = this.#bits[bit >>> 5] as number
    this.#bits[bit >>> 5] = value ? word | (1 << (bit & 31)) : word & ~(1 << (bit & 31))
  }
}
