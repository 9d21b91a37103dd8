/**
 * Server-sent events (WHATWG HTML, section 9.2) as OpenAI uses them: one JSON value per event in `data`, `data: [DONE]` at the end.
 */
export const doneMarker = '[DONE]'

export interface EventStreamOptions<T> {
  /** JSON of one event, in one line */
  encodeEvent: (event: T) => string
  /** JSON of the event that tells an error */
  encodeError: (error: unknown) => string
  /** ends the stream with `data: [DONE]` */
  doneMarker: boolean
  /** silence in ms after which a comment keeps proxies from closing the connection */
  keepAliveMs: number
  /** ends the stream: the reader is gone */
  signal: AbortSignal
}

/**
 * The text of an event stream, piece by piece. An error in `events` becomes the last event, without a done marker. Ends `events` when the reader
 * leaves or `signal` fires; what they wait for has to end by the same signal.
 */
export async function* encodeEventStream<T>(events: AsyncIterable<T>, options: EventStreamOptions<T>): AsyncGenerator<string> {
  const iterator = events[Symbol.asyncIterator]()
  try {
    let next = iterator.next()
    while (true) {
      const step = await waitForStep(next, options.keepAliveMs, options.signal)
      if (step === 'gone') return
      if (step === 'silent') {
        yield ': keep-alive\n\n'
        continue
      }
      if (step.done) break
      yield toEventText(options.encodeEvent(step.value))
      next = iterator.next()
    }
    if (options.doneMarker) yield toEventText(doneMarker)
  } catch (error) {
    yield toEventText(options.encodeError(error))
  } finally {
    // Not awaited: an iterator that hangs must not hold the connection's end.
    iterator.return?.(undefined)?.catch(() => undefined)
  }
}

function toEventText(data: string): string {
  return `data: ${data}\n\n`
}

function waitForStep<T>(next: Promise<IteratorResult<T>>, silentMs: number, signal: AbortSignal): Promise<IteratorResult<T> | 'silent' | 'gone'> {
  return new Promise((resolve, reject) => {
    const leave = () => settle(() => resolve('gone'))
    const timer = setTimeout(() => settle(() => resolve('silent')), silentMs)
    const settle = (finish: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
      finish()
    }
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    next.then(
      (step) => settle(() => resolve(step)),
      (error) => settle(() => reject(error)),
    )
  })
}

/** Reads an event stream from pieces cut anywhere. Comments and fields other than `data` are skipped. */
export class EventStreamParser {
  #rest = ''
  #data: string[] = []
  #atStart = true
  #afterReturn = false

  /** Characters held back because their event has not ended. */
  get pendingLength(): number {
    return this.#data.reduce((sum, line) => sum + line.length, this.#rest.length)
  }

  /** The data of every event that `text` completes. */
  push(text: string): string[] {
    let given = text
    if (this.#atStart && given !== '') {
      this.#atStart = false
      if (given.startsWith('\uFEFF')) given = given.slice(1)
    }
    // A line may end in CR, LF or CRLF, and the two halves of CRLF may come in two pieces.
    if (this.#afterReturn && given !== '') {
      this.#afterReturn = false
      if (given.startsWith('\n')) given = given.slice(1)
    }
    if (given.endsWith('\r')) this.#afterReturn = true
    const lines = (this.#rest + given).split(/\r\n|\r|\n/)
    this.#rest = lines.pop() as string
    return lines.flatMap((line) => this.#takeLine(line))
  }

  #takeLine(line: string): string[] {
    if (line === '') {
      const data = this.#data
      this.#data = []
      return data.length === 0 ? [] : [data.join('\n')]
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    if (field === 'data') this.#data.push(colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1))
    return []
  }
}
