import type { KeyObject } from "node:crypto";
import type { Address, Hash, Hex } from "../domain/hex.ts";
import type { Clock, SignatureVerifier, Signer } from "../domain/ports.ts";
import type { AgreedSession } from "./sessionRegistry.ts";

/** The signed part of the `openSession` body. */
export interface SessionRequest {
	node: Address;
	coordinator: Address;
	/** X25519 */
	publicKey: Hash;
	/** unix seconds */
	issuedAt: number;
	nonce: Hash;
	/** EIP-712 Session by the miner's operator */
	signature: Hex;
}

/** The signed part of the `openSession` answer. */
export interface SessionAccept {
	sessionId: Hash;
	coordinator: Address;
	/** X25519 */
	publicKey: Hash;
	/** EIP-712 SessionAccept by the coordinator's operator */
	signature: Hex;
}

/** What the miner keeps until the answer comes. */
export interface PendingSession {
	request: SessionRequest;
	privateKey: KeyObject;
}

/** The miner's end of a session: puts the session's headers on each request. */
export interface ClientSession {
	readonly id: Hash;
	/** The four `x-cuckoo-*` headers for one request; each call uses up a sequence number. */
	sign(request: {
		method: string;
		path: string;
		body: Uint8Array;
	}): Record<string, string>;
}

export declare function createSessionRequest(input: {
	node: Address;
	coordinator: Address;
	signer: Signer;
	domainSeparator: Uint8Array;
	clock: Clock;
}): PendingSession;

export declare function acceptSession(input: {
	request: SessionRequest;
	/** keys the chain names for the miner now */
	operators: readonly Address[];
	coordinator: Address;
	signer: Signer;
	verifier: SignatureVerifier;
	domainSeparator: Uint8Array;
	clock: Clock;
}): { agreed: AgreedSession; accept: SessionAccept & { serverTime: number } };

export declare function verifySessionAccept(input: {
	pending: PendingSession;
	accept: SessionAccept;
	/** keys the chain names for the coordinator now */
	operators: readonly Address[];
	verifier: SignatureVerifier;
	domainSeparator: Uint8Array;
	clock: Clock;
}): ClientSession;
