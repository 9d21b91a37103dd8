import type { z } from "zod";
import type { Route, RouteEvent, RouteInput, RouteOutput } from "./route.ts";
import type { RouteId, Routes } from "./routes/routes.ts";
import type { ClientSession } from "./sessionHandshake.ts";

export interface ClientOptions {
	/** http(s) URL of the coordinator; http only with `allowPrivate` */
	url: string;
	apiKey?: string;
	/** signs the requests of routes with `auth: 'session'` */
	session?: ClientSession;
	/** for a whole answer; what a request asks to wait (`waitMs`) comes on top. Default 30,000 */
	timeoutMs?: number;
	/** lifts the guard against private addresses and plain http: devnet and `--allow-private` */
	allowPrivate?: boolean;
	/** default 64 MiB */
	maxResponseBytes?: number;
}

export interface CallOptions {
	signal?: AbortSignal;
	headers?: Readonly<Record<string, string>>;
	timeoutMs?: number;
}

/** zod's output of `z.object({})` is Record<string, never>. */
type IsEmpty<S extends z.ZodObject> = string extends keyof z.output<S>
	? true
	: keyof z.output<S> extends never
		? true
		: false;
/** What a call of `R` takes: parameters and body as the handler sees them; query fields may be left out. */
export type ClientInput<R extends Route> = (IsEmpty<R["params"]> extends true
	? unknown
	: { params: z.output<R["params"]> }) &
	(IsEmpty<R["query"]> extends true
		? unknown
		: { query?: Partial<z.output<R["query"]>> }) &
	(R["body"] extends null ? unknown : { body: RouteInput<R>["body"] });

export type StreamRouteId = {
	[K in RouteId]: undefined extends RouteEvent<Routes[K]> ? never : K;
}[RouteId];
type Headers = Readonly<Record<string, string>>;

export type Client = {
	/** The decoded answer. @throws what the coordinator answered, with its code; CUCKOO_API_UNREACHABLE; CUCKOO_API_RESPONSE_INVALID */
	[K in RouteId]: (
		input: ClientInput<Routes[K]>,
		options?: CallOptions,
	) => Promise<RouteOutput<Routes[K]>>;
} & {
	/** Events of the routes that stream, opened when they are first asked for. Leaving the loop closes the connection. */
	stream: {
		[K in StreamRouteId]: (
			input: ClientInput<Routes[K]>,
			options?: CallOptions,
		) => AsyncIterable<RouteEvent<Routes[K]>>;
	};
	/** Like the method of this name, with the answer's headers (`x-cuckoo-task`, `x-request-id`, …). */
	call<K extends RouteId>(
		id: K,
		input: ClientInput<Routes[K]>,
		options?: CallOptions,
	): Promise<{
		body: RouteOutput<Routes[K]>;
		headers: Headers;
		status: number;
	}>;
	/** Like `stream`, opened at once, with the answer's headers. */
	open<K extends StreamRouteId>(
		id: K,
		input: ClientInput<Routes[K]>,
		options?: CallOptions,
	): Promise<{
		events: AsyncIterable<RouteEvent<Routes[K]>>;
		headers: Headers;
		status: number;
	}>;
	/** Cuts what is under way and closes all connections. */
	close(): Promise<void>;
};

export declare function createClient(options: ClientOptions): Client;
