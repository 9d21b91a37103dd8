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

/** Live sessions by id and by operator key, in memory: a coordinator that restarts has none, and its miners shake hands again. */
export function createSessionRegistry({ clock, silenceMs = 30_000, onEnd }: SessionRegistryOptions): SessionRegistry {
  const byId = new Map<string, Entry>()
  const byOperator = new Map<Address, Entry>()
  const byNode = new Map<Address, Entry>()
  // A handshake is accepted while its time is within ±60 s, so a nonce can come again for at most twice that.
  const nonces = new Map<Hash, number>()

  function end(entry: Entry, reason: 'closed' | 'silent'): void {
    byId.delete(entry.id)
    byOperator.delete(entry.operator)
    byNode.delete(entry.node)
    onEnd?.(entry, reason)
  }

  function findLive(entry: Entry | undefined): Entry | undefined {
    if (entry === undefined || entry.underWay > 0 || clock.nowMs() - entry.lastSeenMs <= silenceMs) return entry
    end(entry, 'silent')
    return undefined
  }

  function forgetNonces(nowMs: number): void {
    // Insertion order is time order: the first young one ends the walk.
    for (const [nonce, untilMs] of nonces) {
      if (untilMs > nowMs) return
      nonces.delete(nonce)
    }
  }

  return {
    open(agreed) {
      const nowMs = clock.nowMs()
      forgetNonces(nowMs)
      if (nonces.has(agreed.nonce)) throw sessionInvalid({ reason: 'the nonce of the handshake was used before' })
      if (findLive(byOperator.get(agreed.operator)) !== undefined || findLive(byNode.get(agreed.node)) !== undefined) {
        throw sessionTaken({ node: agreed.node })
      }
      nonces.set(agreed.nonce, nowMs + 2 * maxClockSkewSeconds * 1000)
      const entry: Entry = {
        id: agreed.id,
        node: agreed.node,
        operator: agreed.operator,
        openedAtMs: nowMs,
        key: agreed.key,
        seen: new ReplayWindow(),
        underWay: 0,
        lastSeenMs: nowMs,
      }
      byId.set(entry.id, entry)
      byOperator.set(entry.operator, entry)
      byNode.set(entry.node, entry)
      return entry
    },
    find: (id) => findLive(byId.get(id)),
    findByNode: (node) => findLive(byNode.get(node)),
    close(id) {
      const entry = byId.get(id)
      if (entry !== undefined) end(entry, 'closed')
      return entry !== undefined
    },
    list: () => [...byId.values()].filter((entry) => findLive(entry) !== undefined),
    admit(headers) {
      const entry = findLive(byId.get(getHeader(headers, sessionHeaders.id)))
      if (entry === undefined) throw sessionInvalid({ reason: 'it is unknown here or has ended' })
      const time = getInteger(headers, sessionHeaders.time)
      const serverTime = Math.floor(clock.nowMs() / 1000)
      if (Math.abs(serverTime - time) > maxClockSkewSeconds) throw clockSkewed({ theirTime: time, serverTime, maximumSeconds: maxClockSkewSeconds })
      return entry
    },
    verify(session, request) {
      const entry = byId.get(session.id)
      if (entry === undefined) throw sessionInvalid({ reason: 'it has ended' })
      const { method, path, body, headers } = request
      const sequence = getInteger(headers, sessionHeaders.sequence)
      const facts = { method, path, body, sequence, time: getInteger(headers, sessionHeaders.time) }
      if (!verifyRequest(entry.key, facts, getHeader(headers, sessionHeaders.mac))) throw sessionInvalid({ reason: 'the MAC does not fit the request' })
      if (!entry.seen.accept(sequence)) throw sessionReplayed({ sequence })
      entry.lastSeenMs = clock.nowMs()
    },
    enter(session) {
      const entry = byId.get(session.id)
      if (entry !== undefined) entry.underWay += 1
    },
    leave(session) {
      const entry = byId.get(session.id)
      if (entry === undefined) return
      entry.underWay -= 1
      entry.lastSeenMs = clock.nowMs()
    },
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
