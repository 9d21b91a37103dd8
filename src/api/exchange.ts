import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AppRecord } from '../domain/storePorts.ts'
import type { Observation, RequestContext } from './handler.ts'
import type { Session, SessionRegistry } from './sessionRegistry.ts'

const sanePattern = /^[A-Za-z0-9._:-]{1,128}$/

/** One request and its answer: what handlers see as their context, and what is left to do when the connection is done with it. */
export class Exchange implements RequestContext {
  readonly requestId: string
  readonly receivedAtMs = Date.now()
  readonly #startedMs = performance.now()
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #controller: AbortController | undefined
  #closedEarly = false
  #entered: SessionRegistry | undefined
  readonly #leaves: (() => void)[] = []

  routeId: Observation['routeId'] = null
  errorCode: string | null = null
  streamed = false
  app: AppRecord | undefined
  session: Session | undefined

  constructor(request: IncomingMessage, response: ServerResponse, observe: ((observation: Observation) => void) | undefined) {
    this.#request = request
    this.#response = response
    const given = request.headers['x-request-id']
    this.requestId = typeof given === 'string' && sanePattern.test(given) ? given : `req-${randomUUID()}`
    response.once('close', () => this.#end(observe))
  }

  get headers(): RequestContext['headers'] {
    return this.#request.headers
  }

  /** Made when first asked for: most requests are answered without anyone looking at it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#closedEarly) this.#abort(this.#controller)
    }
    return this.#controller.signal
  }

  /** The connection closed before the answer was complete. */
  get callerGone(): boolean {
    return this.#closedEarly
  }

  /** Keeps the session awake until this request has ended. */
  enterSession(sessions: SessionRegistry, session: Session): void {
    this.#entered = sessions
    sessions.enter(session)
  }

  /** Calls `leave` when this request has ended. */
  onEnd(leave: () => void): void {
    this.#leaves.push(leave)
  }

  #end(observe: ((observation: Observation) => void) | undefined): void {
    this.#closedEarly = !this.#response.writableFinished
    if (this.#closedEarly && this.#controller !== undefined) this.#abort(this.#controller)
    if (this.#entered !== undefined && this.session !== undefined) this.#entered.leave(this.session)
    for (const leave of this.#leaves) leave()
    observe?.({
      routeId: this.routeId,
      // nginx's number for a client that closed its request
      status: this.#closedEarly ? 499 : this.#response.statusCode,
      durationMs: performance.now() - this.#startedMs,
      streamed: this.streamed,
      requestId: this.requestId,
      errorCode: this.errorCode,
    })
  }

  #abort(controller: AbortController): void {
    controller.abort(new DOMException('the caller has gone away', 'AbortError'))
  }
}
