import type { Hash } from "../domain/hex.ts";
import type { AppRecord } from "../domain/ports.ts";
import type { ApiLogger, Handlers, Observation } from "./handler.ts";
import type { SessionRegistry } from "./sessionRegistry.ts";

export interface ServerLimits {
	/** for the headers of a request, from its first byte or the connection */
	headersTimeoutMs: number;
	/** for a whole request, body included; waiting for the answer does not count */
	requestTimeoutMs: number;
	/** for a caller that does not take its answer */
	stalledMs: number;
	keepAliveMs: number;
	maxConnections: number;
	maxHeaderBytes: number;
	maxJsonDepth: number;
	/** between comments that keep an event stream alive */
	eventKeepAliveMs: number;
}

export interface ServerOptions {
	handlers: Handlers;
	/** the app whose key has this SHA-256, or null when unknown or revoked */
	authenticateApp: (
		keyHash: Hash,
	) => AppRecord | null | Promise<AppRecord | null>;
	sessions: SessionRegistry;
	logger: ApiLogger;
	observe?: (observation: Observation) => void;
	limits?: Partial<ServerLimits>;
}

export interface Server {
	/** Listens; loopback unless told. Port 0 takes a free one. @throws CUCKOO_SERVER_PORT_IN_USE, CUCKOO_SERVER_LISTEN_FAILED */
	listen(address: {
		host?: string;
		port: number;
	}): Promise<{ url: string; host: string; port: number }>;
	/** Takes no more requests, lets those under way end for `graceMs`, then cuts the rest. */
	close(options: { graceMs: number }): Promise<void>;
}

export declare function createServer(options: ServerOptions): Server;
