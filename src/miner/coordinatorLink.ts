import type { Client, ClientInput } from '../api/client.ts'
import type { RouteOutput } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'

/** Routes of a task's life that a running task calls. */
export type TaskRouteId = 'renewLease' | 'pushTokens' | 'getTaskMedia' | 'putTaskMedia' | 'submitResult' | 'failTask'

/** A session that is open. `lost` aborts, with the error as its reason, when the coordinator no longer knows it. */
export interface AttachedSession {
  readonly lost: AbortSignal
  lose(error: unknown): void
}

/** The way from running tasks to their coordinator: it outlives sessions. */
export interface CoordinatorLink {
  /**
   * The answer to one request. Waits while there is no session; a request that meets the end of its session is sent again over
   * the next one.
   * @throws the signal's reason when it aborts first; what the coordinator answered; CUCKOO_API_UNREACHABLE
   */
  request<K extends TaskRouteId>(id: K, input: ClientInput<Routes[K]>, signal: AbortSignal): Promise<RouteOutput<Routes[K]>>
  /** Requests go over `client` from now on. */
  attach(client: Client): AttachedSession
  /** Requests wait from now on. */
  detach(): void
}

/** A link without a session. `isSessionEnd` tells errors that only a new session can mend. */
export function createCoordinatorLink(isSessionEnd: (error: unknown) => boolean): CoordinatorLink {
  let current: { client: Client; session: AttachedSession } | null = null
  let opened = Promise.withResolvers<void>()

  const detach = () => {
    if (current === null) return
    current = null
    opened = Promise.withResolvers()
  }
  return {
    detach,
    attach(client) {
      const controller = new AbortController()
      const session: AttachedSession = {
        lost: controller.signal,
        lose(error) {
          if (current?.session === session) detach()
          controller.abort(error)
        },
      }
      current = { client, session }
      opened.resolve()
      return session
    },
    async request(id, input, signal) {
      for (;;) {
        signal.throwIfAborted()
        if (current === null) await waitForAny(opened.promise, signal)
        if (current === null) continue
        const { client, session } = current
        try {
          return (await client.call(id, input, { signal })).body
        } catch (error) {
          signal.throwIfAborted()
          if (!isSessionEnd(error)) throw error
          session.lose(error)
        }
      }
    },
  }
}

async function waitForAny(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>()
  const stop = () => aborted.resolve()
  signal.addEventListener('abort', stop)
  try {
    await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
