import type { KeyObject } from "node:crypto";
import type { Address, Hash } from "../domain/hex.ts";
import type { Clock } from "../domain/ports.ts";

/** A miner's live session at this coordinator. */
export interface Session {
	readonly id: Hash;
	/** the miner: its owner's address */
	readonly node: Address;
	/** the key it runs with */
	readonly operator: Address;
	/** unix ms */
	readonly openedAtMs: number;
}

/** A session that the handshake agreed on and that is not open yet. */
export interface AgreedSession {
	id: Hash;
	node: Address;
	operator: Address;
	/** the miner's nonce of the handshake, remembered so that nobody plays it again */
	nonce: Hash;
	/** HMAC key */
	key: KeyObject;
}

/** A request as its MAC covers it. */
export interface SignedRequest {
	method: string;
	/** request target with its query, as sent: `/miner/v1/poll` */
	path: string;
	headers: Readonly<Record<string, string | string[] | undefined>>;
	body: Uint8Array;
}

export interface SessionRegistryOptions {
	clock: Clock;
	/** a session without a request under way that is silent for so long has ended; default 30,000 */
	silenceMs?: number;
	/** called once for every session that has ended */
	onEnd?: (session: Session, reason: "closed" | "silent") => void;
}

export interface SessionRegistry {
	/** Opens an agreed session. @throws CUCKOO_SESSION_TAKEN, CUCKOO_SESSION_INVALID (nonce seen before) */
	open(agreed: AgreedSession): Session;
	/** The live session with this id. */
	find(id: string): Session | undefined;
	/** The live session of this miner. */
	findByNode(node: Address): Session | undefined;
	/** Ends the session. False when there was none. */
	close(id: string): boolean;
	/** Every live session; those that fell silent are ended on the way. Call it now and then so that `onEnd` comes in time. */
	list(): Session[];
	/** The session that a request names, before its body is read. @throws CUCKOO_SESSION_INVALID, CUCKOO_SESSION_CLOCK_SKEWED */
	admit(headers: SignedRequest["headers"]): Session;
	/** Checks MAC and sequence number once the body is there. @throws CUCKOO_SESSION_INVALID, CUCKOO_SESSION_REPLAYED */
	verify(session: Session, request: SignedRequest): void;
	/** A request of this session is under way: it does not fall silent meanwhile. */
	enter(session: Session): void;
	/** The request has ended. */
	leave(session: Session): void;
}

/** declared below */
export declare function createSessionRegistry(
	options: SessionRegistryOptions,
): SessionRegistry;
