import type { KeyObject } from 'node:crypto'
import type { Address, Hash } from '../domain/hex.ts'
import type { Clock } from '../domain/ports.ts'
import { clockSkewed, sessionInvalid, sessionReplayed, sessionTaken } from '../errors/api.ts'
import { maxClockSkewSeconds, ReplayWindow, sessionHeaders, verifyRequest } from './session.ts'

/** A miner's live session at this coordinator. */
export interface Session {
  readonly id: Hash
  /** the miner: its owner's address */
  readonly node: Address
  /** the key it runs with */
  readonly operator: Address
  /** unix ms */
  readonly openedAtMs: number
}

/** A session that the handshake agreed on and that is not open yet. */
export interface AgreedSession {
  id: Hash
  node: Address
  operator: Address
  /** the miner's nonce of the handshake, remembered so that nobody plays it again */
  nonce: Hash
  /** HMAC key */
  key: KeyObject
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** A request as its MAC covers it. */
export interface SignedRequest {
  method: string
  /** request target with its query, as sent: `/miner/v1/poll` */
  path: string
  headers: Headers
  body: Uint8Array
}

export interface SessionRegistryOptions {
  clock: Clock
  /** a session that has no request under way and is silent for so long has ended; default 30,000 */
  silenceMs?: number
  /** called once for every session that has ended */
  onEnd?: (session: Session, reason: 'closed' | 'silent') => void
}

export interface SessionRegistry {
  /**
   * Opens an agreed session.
   * @throws CUCKOO_SESSION_TAKEN while another one of the same operator key lives
   * @throws CUCKOO_SESSION_INVALID when the handshake's nonce was used before
   */
  open(agreed: AgreedSession): Session
  /** The live session with this id. */
  find(id: string): Session | undefined
  /** The live session of this miner. */
  findByNode(node: Address): Session | undefined
  /** Ends the session. False when there was none. */
  close(id: string): boolean
  /** Every live session; those that fell silent are ended on the way. Call it now and then so that `onEnd` comes in time. */
  list(): Session[]
  /**
   * The session that a request names, before its body is read.
   * @throws CUCKOO_SESSION_INVALID, or CUCKOO_SESSION_CLOCK_SKEWED with this clock's time
   */
  admit(headers: Headers): Session
  /** Checks MAC and sequence number once the body is there. @throws CUCKOO_SESSION_INVALID, CUCKOO_SESSION_REPLAYED */
  verify(session: Session, request: SignedRequest): void
  /** A request of this session is under way: it does not fall silent meanwhile. */
  enter(session: Session): void
  /** The request has ended. */
  leave(session: Session): void
}

interface Entry extends Session {
  readonly key: KeyObject
  readonly seen: ReplayWindow
  underWay: number
  lastSeenMs: number
}

/** Live sessions in memory: a coordinator that restarts has none, and its miners shake hands again. */
export function createSessionRegistry(options: SessionRegistryOptions): SessionRegistry {
  return new MemorySessionRegistry(options)
}

class MemorySessionRegistry implements SessionRegistry {
  readonly #clock: Clock
  readonly #silenceMs: number
  readonly #onEnd: SessionRegistryOptions['onEnd']
  readonly #byId = new Map<string, Entry>()
  readonly #byOperator = new Map<Address, Entry>()
  readonly #byNode = new Map<Address, Entry>()
  /** nonces of handshakes, with the unix ms until which they are remembered */
  readonly #nonces = new Map<Hash, number>()

  constructor({ clock, silenceMs = 30_000, onEnd }: SessionRegistryOptions) {
    this.#clock = clock
    this.#silenceMs = silenceMs
    this.#onEnd = onEnd
  }

  open({ id, node, operator, nonce, key }: AgreedSession): Session {
    const nowMs = this.#clock.nowMs()
    this.#forgetNonces(nowMs)
    if (this.#nonces.has(nonce)) throw sessionInvalid({ reason: 'the nonce of the handshake was used before' })
    if (this.#findLive(this.#byOperator.get(operator)) !== undefined || this.findByNode(node) !== undefined) throw sessionTaken({ node })
    // A handshake is accepted while its time is within 60 s of ours on either side, so a nonce can come again for twice that.
    this.#nonces.set(nonce, nowMs + 2 * maxClockSkewSeconds * 1000)
    const entry: Entry = { id, node, operator, openedAtMs: nowMs, key, seen: new ReplayWindow(), underWay: 0, lastSeenMs: nowMs }
    this.#byId.set(id, entry)
    this.#byOperator.set(operator, entry)
    this.#byNode.set(node, entry)
    return entry
  }

  find(id: string): Session | undefined {
    return this.#findLive(this.#byId.get(id))
  }

  findByNode(node: Address): Session | undefined {
    return this.#findLive(this.#byNode.get(node))
  }

  close(id: string): boolean {
    const entry = this.#byId.get(id)
    if (entry !== undefined) this.#end(entry, 'closed')
    return entry !== undefined
  }

  list(): Session[] {
    return [...this.#byId.values()].filter((entry) => this.#findLive(entry) !== undefined)
  }

  admit(headers: Headers): Session {
    const session = this.find(getHeader(headers, sessionHeaders.id))
    if (session === undefined) throw sessionInvalid({ reason: 'it is unknown here or has ended' })
    const time = getInteger(headers, sessionHeaders.time)
    const serverTime = Math.floor(this.#clock.nowMs() / 1000)
    if (Math.abs(serverTime - time) > maxClockSkewSeconds) throw clockSkewed({ theirTime: time, serverTime, maximumSeconds: maxClockSkewSeconds })
    return session
  }

  verify(session: Session, { method, path, body, headers }: SignedRequest): void {
    const entry = this.#byId.get(session.id)
    if (entry === undefined) throw sessionInvalid({ reason: 'it has ended' })
    const sequence = getInteger(headers, sessionHeaders.sequence)
    const facts = { method, path, body, sequence, time: getInteger(headers, sessionHeaders.time) }
    if (!verifyRequest(entry.key, facts, getHeader(headers, sessionHeaders.mac))) throw sessionInvalid({ reason: 'the MAC does not fit the request' })
    if (!entry.seen.accept(sequence)) throw sessionReplayed({ sequence })
    entry.lastSeenMs = this.#clock.nowMs()
  }

  enter(session: Session): void {
    const entry = this.#byId.get(session.id)
    if (entry !== undefined) entry.underWay += 1
  }

  leave(session: Session): void {
    const entry = this.#byId.get(session.id)
    if (entry === undefined) return
    entry.underWay -= 1
    entry.lastSeenMs = this.#clock.nowMs()
  }

  #findLive(entry: Entry | undefined): Entry | undefined {
    if (entry === undefined || entry.underWay > 0 || this.#clock.nowMs() - entry.lastSeenMs <= this.#silenceMs) return entry
    this.#end(entry, 'silent')
    return undefined
  }

  #end(entry: Entry, reason: 'closed' | 'silent'): void {
    this.#byId.delete(entry.id)
    this.#byOperator.delete(entry.operator)
    this.#byNode.delete(entry.node)
    this.#onEnd?.(entry, reason)
  }

  #forgetNonces(nowMs: number): void {
    // Insertion order is time order: the first young one ends the walk.
    for (const [nonce, untilMs] of this.#nonces) {
      if (untilMs > nowMs) return
      this.#nonces.delete(nonce)
    }
  }
}

function getHeader(headers: Headers, name: string): string {
  const value = headers[name]
  if (typeof value !== 'string') throw sessionInvalid({ reason: `the header ${name} is missing` })
  return value
}

function getInteger(headers: Headers, name: string): number {
  const text = getHeader(headers, name)
  if (!/^[1-9]\d{0,14}$/.test(text)) throw sessionInvalid({ reason: `the header ${name} is not a number` })
  return Number(text)
}
